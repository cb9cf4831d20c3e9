/** The limit of open files of this process; null if the system does not report it. */
export function descriptorLimit(): number | null {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft: unknown } }
  }
  const limit = Number(userLimits?.open_files?.soft)
  return Number.isFinite(limit) ? limit : null
}
