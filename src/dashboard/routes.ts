import { type AdminRoute, json } from '../observe/admin-server.ts'
import { dashboardPage } from './page.ts'
import type { TableDocument } from './table-document.ts'

/** Paths of the dashboard on an admin server. They show the whole configuration: for a loopback address only. */
export function dashboardRoutes(describe: () => TableDocument): Readonly<Record<string, AdminRoute>> {
  return {
    '/': () => ({ status: 200, contentType: 'text/html; charset=utf-8', body: dashboardPage }),
    '/api/table': () => json(describe()),
  }
}
