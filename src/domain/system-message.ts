/** The texts of strerror(3), by POSIX error code. */
const MESSAGES: Readonly<Record<string, string>> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  EAGAIN: 'resource temporarily unavailable',
  EBADF: 'bad file descriptor',
  EBUSY: 'resource busy or locked',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'file too large',
  EINVAL: 'invalid argument',
  EIO: 'i/o error',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links encountered',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'name too long',
  ENFILE: 'file table overflow',
  ENODEV: 'no such device',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  ENOMEM: 'not enough memory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENXIO: 'no such device or address',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
  ETXTBSY: 'text file is busy',
}

/**
 * The text of an operating system error, such as "no such file or directory", without the error code, system call and
 * argument that Node's messages add. The message of any other error is returned unchanged.
 */
export function systemMessage(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const { code = '', message } = thrown as NodeJS.ErrnoException
  return MESSAGES[code] ?? message
}
