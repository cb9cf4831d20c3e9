/** How many files this process may have open, as the system says it; null where it does not. */
export function descriptorLimit(): number | null {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft: unknown } }
  }
  const limit = Number(userLimits?.open_files?.soft)
  return Number.isFinite(limit) ? limit : null
}
