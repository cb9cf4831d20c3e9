import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { Disco, type Ran } from '../support/disco.js'
import type { Etcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd
let tool: ResidentTool
let greeter: Greeter

beforeAll(async () => {
  etcd = await sharedEtcd()
  tool = new ResidentTool(etcd.endpoint)
  greeter = await startGreeter({ port: 0 })
  await etcd.ctl('put', ...registration('hello', greeter.addr))
})
afterAll(async () => {
  greeter.stop()
  await tool[Symbol.asyncDispose]()
})

/** Sentences from oclif’s own messages. */
const OCLIF =
  /Nonexistent|See more help|Missing \d|Missing required|Unexpected argument|following error|Note: --|Parsing -|Expected -|expects a value|only be specified|not found\.|[Cc]ommand \S+ not found/

function expectPlain({ stdout, stderr }: Ran): void {
  expect(stdout + stderr).not.toMatch(OCLIF)
  expect(stdout + stderr).not.toMatch(/^\s+at .+:\d+/m)
}

const AT = '1.2.3.4:1001'

describe('an invalid command line causes an error with the problem and a suggestion', () => {
  const wrong: [line: string, message: string, hint: string][] = [
    ['wath hello', 'disco has no command "wath"', 'Did you mean watch? Try: disco watch hello'],
    ['wath', 'disco has no command "wath"', 'Did you mean watch?'],
    ['wath hello --json', 'disco has no command "wath"', 'Did you mean watch? Try: disco watch hello …'],
    [`deregistre hello ${AT}`, 'disco has no command "deregistre"', `Try: disco unregister hello ${AT}`],
    ['lst', 'disco has no command "lst"', 'Did you mean ls?'],
    ['frobnicate hello', 'disco has no command "frobnicate"', 'All commands: disco --help'],
    ['wath http://u:secret@h', 'disco has no command "wath"', 'Did you mean watch?'],
    ['help wath', 'disco has no command "wath"', 'Did you mean watch?'],
    ['help exit-code', 'disco has no command "exit-code"', 'Did you mean exit-codes?'],
    ['wath --help', 'disco has no command "wath"', 'Did you mean watch?'],
    ['--json', 'disco needs a command', 'All commands: disco --help'],
    ['--endpoint x ls', 'disco has no flag --endpoint', 'Did you mean --endpoints?'],
    ['ls --outpu json', 'disco ls has no flag --outpu', 'Did you mean --output?'],
    ['ls --endpiont=u:secret@h', 'disco ls has no flag --endpiont', 'Its flags: disco ls --help'],
    ['ls --no-colour', 'disco ls has no flag --no-colour', 'Did you mean --no-color?'],
    ['ls -x', 'disco ls has no flag -x', 'Its flags: disco ls --help'],
    ['ls -xsecret', 'disco ls has no flag -x', 'Its flags: disco ls --help'],
    ['layouts hello', 'disco layouts takes no argument: "hello"', ''],
    ['version 2', 'disco version takes no argument: "2"', ''],
    ['ls a b', '"b" has no port', 'Example: disco ls hello 1.2.3.4:1001'],
    ['resolve a b', 'disco resolve takes one argument: "b" is too many', 'Usage: disco resolve TARGET'],
    ['call a b c', 'disco call takes 2 arguments: "c" is too many', 'Usage: disco call TARGET [METHOD]'],
    ['wait hello', 'disco wait needs --for', "Such as: disco wait hello --for 'healthy>=3' --timeout 1m"],
    ['wait', 'disco wait needs TARGET and --for', 'Such as: disco wait hello'],
    ['register', 'disco register needs SERVICE and ADDR', `Such as: disco register hello ${AT} --ttl 10`],
    ['register hello', 'disco register needs ADDR', `Such as: disco register hello ${AT} --ttl 10`],
    ['verdict', 'disco verdict needs --counts and --weights', 'Such as: disco verdict --counts a=3'],
    ['wait hello --for', '--for needs a value', ''],
    ['wait hello --for --json', '--for needs a value', ''],
    ['ls -o', '-o needs a value', ''],
    ['ls --root a --root b', '--root is given more than once', ''],
    ['ls --json=true', '--json takes no value', ''],
    ['ls --no-color=false', '--no-color takes no value', ''],
    [
      'ls -o jsno',
      'Invalid --output "jsno": expected table, wide, json, ndjson, name, yaml or template=…',
      'Did you mean json?',
    ],
    ['pick hello --n 1.5', 'Invalid --n "1.5": expected an integer from 1 to 10000000', ''],
    ['watch --count x', 'Invalid --count "x": expected an integer, 1 or more', ''],
    ['call a b --proto c --protoset d', '--proto and --protoset exclude each other', ''],
    ['call a b --import-path d', '--import-path has no effect without --proto', ''],
    [
      'call hello SayHello -c 4',
      '-c has no effect without --n or --duration',
      'disco call hello SayHello --n 100 -c 4',
    ],
    [
      'call hello SayHello --rate 5/s',
      '--rate has no effect without --n or --duration',
      '--n 100 --rate 5/s',
    ],
    ['call hello SayHello --policy randm', 'Unknown LB policy "randm"', 'Did you mean random?'],
    [
      `register ${AT} hello`,
      'The arguments are swapped: the service comes before the address',
      `Try: disco register hello ${AT}`,
    ],
    [
      `weight ${AT} hello 5`,
      'The arguments are swapped: the service comes before the address',
      `Try: disco weight hello ${AT} 5`,
    ],
    [`weight ${AT} 5`, `The service of ${AT} is missing`, `Try: disco weight SERVICE ${AT} 5`],
    [
      'shift',
      'disco shift needs a service, and a selection or --undo',
      'Such as: disco shift hello version=2.0.0=5%',
    ],
    ['weight hello 5', 'Missing arguments: an address', 'Several: -l SELECTOR or --host HOST, and a weight'],
    [
      `weight hello 5 ${AT}`,
      'The arguments are swapped: the address comes before the weight',
      `Try: disco weight hello ${AT} 5`,
    ],
    [
      `drain ${AT} hello`,
      'The arguments are swapped: the service comes before the address',
      'disco drain hello',
    ],
    [
      `rm ${AT} hello`,
      'The arguments are swapped: the service comes before the address',
      'disco unregister hello',
    ],
    [
      'call SayHello hello',
      'The arguments are swapped: the service comes before the method',
      'Try: disco call hello SayHello',
    ],
    [`register hello http://${AT}`, `"http://${AT}" is a URL; an address has no scheme`, `Write ${AT}`],
    [`weight hello https://${AT}/x 5`, `"https://${AT}/x" is a URL`, `Write ${AT}`],
    [
      `ls http://${AT}`,
      `"http://${AT}" is a URL, not the name of a service`,
      'disco ls lists the names of the services',
    ],
    [`call http://${AT} SayHello`, `Unknown scheme of the target "http://${AT}"`, `Write ${AT}`],
    [
      `resolve http://u:secret@h:1`,
      'Unknown scheme of the target "http://…@h:1"',
      'Expected SERVICE, etcd:///SERVICE',
    ],
    ['resolve http://127.0.0.1:1', 'Unknown scheme of the target "http://127.0.0.1:1"', 'Write 127.0.0.1:1'],
    [
      `pick hello --policy ring_hash --without http://${AT}`,
      `"http://${AT}" is a URL; an address has no scheme`,
      `Write ${AT}`,
    ],
    ...[`${AT} 5 hello`, `5 hello ${AT}`, `5 ${AT} hello`].map((words): [string, string, string] => [
      `weight ${words}`,
      'The arguments are swapped: the',
      `Try: disco weight hello ${AT} 5`,
    ]),
    ['ls --constructor', 'disco ls has no flag --constructor', 'Its flags: disco ls --help'],
    ['ls --__proto__=x', 'disco ls has no flag --__proto__', 'Its flags: disco ls --help'],
    ['ls --help=x', '--help takes no value', ''],
    ['ls -hx', '-h takes no value', ''],
    ['ls -hV', '-h takes no value', ''],
    ['-hx', '-h takes no value', ''],
    ['-Vx', '-V takes no value', ''],
    ['--nonsense ls', 'disco has no flag --nonsense', 'Flags: disco COMMAND --help'],
    ['policies', 'disco has no command "policies"', 'A topic of the help: disco help policies'],
    ['register hello me:secret@1.2.3.4:1', '"…@1.2.3.4:1" has a user in it', 'Expected host:port'],
    ['wait hello 1.2.3.4:1', 'disco wait needs --for', ''],
    ['wait --for gone', 'disco wait needs TARGET', 'Over all services: -l SELECTOR or --host HOST'],
    ['wait hello -l a=b --for ready', 'Invalid condition "ready"', "For every endpoint: --for 'all ready'"],
    ['wait hello --for delete', 'Invalid condition "delete"', 'Did you mean gone?'],
    ['wait hello --for condition=Ready', 'Invalid condition "condition=Ready"', "Did you mean 'all ready'?"],
    ['wait hello 1.2.3.4:1 --for weight1.2.3.4:1', 'Invalid condition "weight1.2.3.4:1"', ''],
    [
      'wait hello --for gone --for-duration 30s --timeout 30s',
      '--for-duration 30s cannot be met within --timeout 30s',
      'Without --timeout, the limit is 30s plus --for-duration',
    ],
    ['wait hello --for weight 1.2.3.4:1==0', 'Invalid condition "weight"', "--for 'weight 1.2.3.4:1001==0'"],
    [
      'wait hello --for healthy',
      'Invalid condition "healthy"',
      "Quote the whole condition: --for 'healthy>=3'",
    ],
    [
      'ls --endpoints http://me:secret@h:2379',
      'An etcd endpoint from --endpoints contains a user or a password',
      '--password-file FILE',
    ],
    ['ls --endpoints me:sec,ret@h:2379', 'An etcd endpoint from --endpoints contains a user', '--user NAME'],
    [
      'register hello :1001 --probe http://u:secret@:1001/',
      'Invalid --probe "http://…@:1001/": expected grpc',
      '',
    ],
    [
      'register hello :1001 --probe htp://:1/?token=secret',
      'Invalid --probe "htp://:1/?…": expected grpc',
      '',
    ],
    ['register hello :1001 --probe http:///#secret', 'Invalid --probe "http:///#…": expected grpc', ''],
    [
      `register hello ${AT} --advertise u:secret@h`,
      'Invalid --advertise "…@h": expected a host name or an IP address, with or without a port up to 65535, such as 203.0.113.9',
      '',
    ],
    [
      `register hello ${AT}?token=secret`,
      '"1.2.3.4:1001?…" has no valid port ("1001?…")',
      'Expected host:port',
    ],
    ['resolve http://h:1/?token=secret', 'Unknown scheme of the target "http://h:1/?…"', 'Expected SERVICE'],
    [
      'ls --endpoints http://h:1/?token=secret',
      'etcd endpoint from --endpoints has a path, a query or a fragment',
      'Expected host',
    ],
    [
      'ls --endpoints http://h:1/#secret',
      'etcd endpoint from --endpoints has a path, a query or a fragment',
      'Expected host',
    ],
    [
      'ls --endpoints h:1,http://h:1/secret',
      'etcd endpoint 2 of 2 from --endpoints has a path',
      'Expected host',
    ],
    [
      'ls --endpoints http://user:secret%40h:1',
      'An etcd endpoint from --endpoints contains a user',
      '--user',
    ],
    [
      'ls --endpoints user:secret',
      'etcd endpoint from --endpoints has no valid host and port',
      'Expected host:port',
    ],
    [
      'ls --endpoints user:1,secret',
      'etcd endpoint 2 of 2 from --endpoints has no port',
      'Expected host:port',
    ],
    [
      'ls --endpoints ftp://secret',
      'etcd endpoint from --endpoints has a scheme other than http and https',
      'Expected host:port',
    ],
    [
      'ls --endpoints ::1:2379',
      'etcd endpoint from --endpoints is an IPv6 address without brackets',
      'Expected host:port',
    ],
    ...['--endpoints', '--user', '--password-file', '--cacert', '--cert', '--key'].map(
      (flag): [string, string, string] => [`ls ${flag}=`, `${flag} is empty`, ''],
    ),
    ...['--dial-timeout', '--command-timeout'].map((flag): [string, string, string] => [
      `ls ${flag}=`,
      `Invalid ${flag} "": expected a duration such as 5s or 2m`,
      '',
    ]),
    ...['rise 2', 'fall 2', 'probe-interval 1s', 'probe-timeout 1s', 'unhealthy weight0'].map(
      (flag): [string, string, string] => [
        `register hello ${AT} --${flag}`,
        `--${flag.split(' ')[0]} has no effect without --probe`,
        '',
      ],
    ),
    [`register hello ${AT} --kill-after 1s`, '--kill-after has no effect without -- CMD', ''],
    ['ls --probe-timeout 5s', '--probe-timeout has no effect without --probe', ''],
    ['call hello SayHello -n 1 -c 4', '-c has no effect with --n 1', '--n 100 -c 4'],
    ['ls --password-file f', '--password-file has no effect without --user', ''],
    [`drain hello ${AT} --undo --grace 5s`, '--grace has no effect with --undo', ''],
    ...[
      ['call hello SayHello', '--data @-', '--proto -'],
      ['call hello SayHello', '--header @-', '--service-config -'],
      ['call hello SayHello --tls-key f', '--tls-ca -', '--tls-cert -'],
      ['ls --cert f', '--cacert -', '--key -'],
      ['ls --user me', '--cacert -', '--password-file -'],
      [`register hello ${AT} --admin :0`, '--cacert -', '--admin-token-file -'],
      ['verdict --weights a=1', '--cacert -', '--counts -'],
      ['diff hello', '--cacert -', '--against -'],
      ['apply', '--cacert -', '--file -'],
    ].map(([command, one, other]): [string, string, string] => [
      `${command} ${one} ${other}`,
      `${one} and ${other} both read standard input, which can be read once`,
      'Put one of them into a file',
    ]),
    ['--version=x ls', '--version takes no value', 'disco --version'],
    ['ls --version', 'disco ls has no flag --version', 'disco --version'],
    [
      'wait ready>=1 --for hello',
      '"ready>=1" is a condition, which belongs to --for',
      "disco wait hello --for 'ready>=1'",
    ],
    [
      'wait ready>=1',
      '"ready>=1" is a condition, which belongs to --for',
      "disco wait SERVICE --for 'ready>=1'",
    ],
    [
      `register hello ${AT} --fall 2 -- sleep 1`,
      '--fall has no effect without --probe: the port is probed until it accepts',
      '',
    ],
    [`register hello ${AT} --unhealthy weight0 -- sleep 1`, '--unhealthy has no effect without --probe', ''],
    [
      `register hello ${AT} -- /none/server`,
      'Cannot run /none/server: no such file or directory',
      'Check the path',
    ],
    [`register hello ${AT} -- no-such-server`, 'Cannot run no-such-server: no such file', 'PATH'],
    [`register hello ${AT} -- /tmp`, 'Cannot run /tmp: permission denied', 'chmod +x'],
    ['ls --cacert /none', 'Cannot read /none from --cacert: no such file or directory', ''],
    [
      'ls --user me --password-file /none',
      'Cannot read the password file /none from --password-file: no such file or directory',
      '',
    ],
    [
      'call hello SayHello --service-config /tmp',
      'Cannot read /tmp from --service-config: it is a directory',
      '',
    ],
    ['apply -f /tmp', 'Cannot read /tmp from --file: it is a directory', ''],
    ['diff hello --against /tmp', 'Cannot read /tmp from --against: it is a directory', ''],
    [
      'proxy hello --listen-cert /tmp --listen-key /tmp',
      'Cannot read /tmp from --listen-cert: it is a directory',
      '',
    ],
    ['call hello SayHello --proto /tmp', 'Cannot read /tmp from --proto: it is a directory', ''],
    [
      'call hello SayHello --protoset /tmp',
      'Cannot read /tmp from --protoset as a descriptor set: it is',
      '',
    ],
    ['call hello SayHello --tls-ca /tmp', 'Cannot read /tmp from --tls-ca: it is a directory', ''],
    ['call hello SayHello -d @/tmp', 'Cannot read /tmp from --data: it is a directory', ''],
    ['call hello SayHello -H @/tmp', 'Cannot read /tmp from --header: it is a directory', ''],
    [
      `register hello ${AT} --admin :0 --admin-token-file /tmp`,
      'Cannot read /tmp from --admin-token-file: it is a directory',
      '',
    ],
    ['call hello SayHello --assert p99', 'The assertion "p99" from --assert cannot be read', 'Available'],
    ['call hello SayHello --policy=', '--policy is empty', ''],
    ['pick hello --policy=', '--policy is empty', ''],
    ['call hello SayHello --policy rr,best', 'Unknown LB policy "best" from --policy', 'Available'],
    [
      'pick hello --policy pinned --pin a --pin-fallback b',
      'Unknown LB policy "b" from --pin-fallback',
      'Available',
    ],
    ['pick hello --policy pinned --pin=', '--pin is empty', ''],
    ['pick hello --policy ring_hash --hash-key=', '--hash-key is empty', ''],
    ['ls --layout krato', 'Unknown layout "krato" from --layout', 'Did you mean kratos?'],
    ['ls --root /\u0007', 'The root "/', ''],
    ['diff --against-root /\u0007', 'The root "/', ''],
    ['ls --layout seed=/x', 'The layout seed from --layout has no prefix of its own', '--root /x'],
    ['ls --command-timeout 5s#x', 'Invalid --command-timeout "5s#x"', ''],
    ['call hello SayHello --n 9 --rate 5@s', 'Invalid --rate "5@s"', ''],
    [`register hello ${AT} --meta a?b`, 'Invalid --meta "a?b": expected KEY=VALUE', ''],
    ['call hello SayHello -d @', 'Invalid --data "@": expected a file name after @', ''],
    ['health hello -H @', 'Invalid --header "@": expected a file name after @', ''],
    [
      'ls --command-timeout 99999999999999h',
      'Invalid --command-timeout "99999999999999h": expected at most 596h',
      '',
    ],
    ['call hello SayHello --deadline 597h', 'Invalid --deadline "597h": expected at most 596h', ''],
    ['call hello SayHello --connect-deadline 597h', 'Invalid --connect-deadline "597h"', ''],
    ['call hello SayHello --n 9 --warmup 597h', 'Invalid --warmup "597h"', ''],
    ['resolve dns:///', 'The target "dns:///" has no host', ''],
    ['ls --endpoints ,', 'No etcd endpoint is named by --endpoints', 'Expected host:port'],
  ]
  test.each(wrong)('disco %s', async (line, message, hint) => {
    const args = line.split(' ')
    const [ran, json] = [
      await tool.run(...args.filter((word) => word !== '--json')),
      await tool.run('--json', ...args),
    ]
    const [plain, under] = line.includes('--json') ? [json, json] : [ran, json]
    expect(under.code, under.stderr).toBe(2)
    const doc = JSON.parse(under.stdout) as {
      error: { message: string; hint: string; code: string; exit: number }
    }
    expect(doc.error).toMatchObject({ code: 'USAGE', exit: 2 })
    expect(doc.error.message).toContain(message)
    expect(doc.error.hint).toContain(hint)
    if (plain !== under) {
      expect(plain).toMatchObject({ code: 2, stdout: '' })
      expect(plain.stderr).toContain(`✗ ${message}`)
      expect(plain.stderr).toContain(hint)
    }
    for (const printed of [plain, under]) {
      expectPlain(printed)
      expect(printed.stdout + printed.stderr).not.toMatch(/secret|sec,|ret@/)
    }
  })
})

describe('aliases and common spellings are accepted', () => {
  const right: [line: string, message: RegExp][] = [
    ['-V', /^disco-registry\/\d/],
    ['--version', /^disco-registry\/\d/],
    ['version', /^disco-registry\/\d/],
    ['-V --json', /"schema": "disco.version\/v1"/],
    ['', /^COMMANDS$/m],
    ['-h', /^COMMANDS$/m],
    ['help', /^TOPICS$/m],
    ['ls -h', /^ {2}\$ disco ls hello -o wide$/m],
    ['--json ls -h', /"schema": "disco.help\/v1"/],
    ['help ls', /^ {2}\$ disco ls \[TARGET\] \[ADDR\.\.\.\] \[FLAGS\]$/m],
    ['help get', /^ {2}\$ disco ls \[TARGET\] \[ADDR\.\.\.\] \[FLAGS\]$/m],
    ['layouts -h', /^ {2}\$ disco layouts$/m],
    ['help layouts', /^Layouts$/m],
    ['exit-codes -h', /^Exit codes$/m],
    ['help -h', /^ {2}\$ disco help \[SUBJECT\]$/m],
    ['list', /^hello /m],
    ['get hello', /hello|127\.0\.0\.1/],
    [`rm hello ${AT}`, new RegExp(`hello ${AT} was not registered`)],
    [`deregister hello ${AT}`, new RegExp(`hello ${AT} was not registered`)],
    ['--json ls hello', /"schema": "disco.endpoints\/v1"/],
    ['-o name --no-color ls', /^hello$/m],
    ['-o=name ls', /^hello$/m],
    ['pick hello -n 7', /7 picks/],
    ['pick -n7 hello', /7 picks/],
    ['wait --for endpoints>=1 hello --timeout 0', /endpoints>=1/],
    ['call -H a=b hello SayHello', /Hello/],
  ]
  test.each(right)('disco %s', async (line, message) => {
    const ran = await tool.run(...line.split(' ').filter((word) => word !== ''))
    expect(ran.code, ran.stderr).toBe(0)
    expect(ran.stdout).toMatch(message)
    expectPlain(ran)
  })

  test('global flags before the command override the environment, for that command only', async () => {
    const ran = await tool.run('--endpoints', '127.0.0.1:1', '--command-timeout', '1s', 'ls')
    expect(ran.code).toBe(3)
    expect(ran.stderr).toContain('etcd is not reachable at 127.0.0.1:1')
  })

  test('words after -- are passed to the child', async () => {
    const disco = new Disco(etcd.endpoint)
    try {
      const words = [
        'dev',
        '--port',
        '0',
        '--backends',
        '0',
        '--',
        'echo',
        '-h',
        '--version',
        '--json',
        '--debug',
      ]
      expect(await disco.run(...words)).toMatchObject({ code: 0, stdout: '-h --version --json --debug\n' })
      const failed = await disco.run('register', 'hello', '1.2.3.4', '--', 'node', '--json', '--debug')
      expect(failed).toMatchObject({ code: 2, stdout: '' })
      expectPlain(failed)
    } finally {
      await disco.stopAll()
    }
  })

  test('a missing argument is not read from standard input', async () => {
    const disco = new Disco(etcd.endpoint)
    try {
      const ran = await disco.shell('echo nobody | (disco ls -o name; cat)').exited()
      expect(ran.stdout).toBe('hello\nnobody\n')
    } finally {
      await disco.stopAll()
    }
  })
})

describe('a help topic is printed as a page', () => {
  test.each(['exit-codes', 'environment', 'targets', 'policies', 'layouts', 'selectors'])(
    '%s',
    async (topic) => {
      const { code, stdout } = await tool.run('help', topic)
      expect(code).toBe(0)
      const [title = '', ...lines] = stdout.split('\n')
      expect(title).toMatch(/^[A-Z]/)
      // Lines that cannot be wrapped, such as the form of a key, may be longer.
      for (const line of lines.filter((text) => text.trim().includes(' ') && !text.includes('/')))
        expect(line.length, line).toBeLessThanOrEqual(80)
    },
  )
})
