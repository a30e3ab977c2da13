/**
 * Does this browser take `SameSite=None` for what it means? Chrome 51 to 66 drops such a cookie, and every browser of
 * iOS 12 and Safari of macOS 10.14 read it as Strict.
 */
export function understandsSameSiteNone(userAgent: string): boolean {
  return !isOldChrome(userAgent) && !isOfIos12(userAgent) && !isOldSafari(userAgent)
}

function isOldChrome(userAgent: string): boolean {
  const version = /Chrom(?:e|ium)\/(\d{1,4})/.exec(userAgent)?.[1]
  return version !== undefined && Number(version) >= 51 && Number(version) <= 66
}

function isOfIos12(userAgent: string): boolean {
  return /\((?:iPhone|iPad|iPod)/.test(userAgent) && /CPU (?:iPhone )?OS 12[_ ]/.test(userAgent)
}

function isOldSafari(userAgent: string): boolean {
  if (!userAgent.includes('Mac OS X 10_14')) return false
  // Apps that embed the browser of the system say nothing after the engine.
  const isSafari = userAgent.includes('Version/') && userAgent.includes('Safari/')
  return (isSafari && !/Chrom(?:e|ium)\//.test(userAgent)) || userAgent.endsWith('(KHTML, like Gecko)')
}
