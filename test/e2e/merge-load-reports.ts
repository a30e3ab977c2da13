import type { LoadReport } from './client-messages.ts'

/** What several loads at a time saw, as one. */
export function mergeLoadReports(reports: readonly LoadReport[]): LoadReport {
  const pods: Record<string, LoadReport['pods'][string]> = {}
  for (const [pod, sighting] of reports.flatMap(report => Object.entries(report.pods))) {
    const other = pods[pod] ?? sighting
    pods[pod] = {
      answers: sighting.answers + (pods[pod]?.answers ?? 0),
      firstMs: Math.min(sighting.firstMs, other.firstMs),
      lastMs: Math.max(sighting.lastMs, other.lastMs),
    }
  }
  const total = (count: (report: LoadReport) => number): number =>
    reports.reduce((sum, report) => sum + count(report), 0)
  return {
    sent: total(report => report.sent),
    failed: total(report => report.failed),
    failures: reports.flatMap(report => report.failures),
    pods,
  }
}
