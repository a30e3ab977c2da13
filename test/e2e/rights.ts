import { kubectl } from './kubectl.ts'

/** What an account may do in a namespace: sorted lines of `kubectl auth can-i --list`, without what everybody may. */
export async function rightsIn(namespace: string, account: string): Promise<string> {
  const listed = await kubectl('auth', 'can-i', '--list', `--as=${account}`, '-n', namespace)
  const everybody = /^selfsubject|^ +\[\/|^Resources/
  const lines = listed.split('\n').filter(line => line !== '' && !everybody.test(line))
  return lines
    .map(line => line.trim().replace(/ {2,}/g, '  '))
    .toSorted()
    .join('\n')
}

/** The same of several places, as a golden file holds it: a title and its lines for each. */
export async function rightsReport(account: string, places: Readonly<Record<string, string>>): Promise<string> {
  const sections = await Promise.all(
    Object.entries(places).map(async ([title, namespace]) => `${title}:\n${await rightsIn(namespace, account)}\n`),
  )
  return sections.join('\n')
}
