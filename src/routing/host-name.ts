/** A host name as the table has it: lower case, without trailing dot. */
export function normalizeHost(name: string): string {
  const lower = name.trim().toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

/** A DNS name, its first label possibly `*`; no address (API reference of Ingress, `spec.rules[].host`). */
export function isHostName(name: string): boolean {
  return (
    name.length <= 253 &&
    /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(name) &&
    !/^\d+(\.\d+){3}$/.test(name)
  )
}
