/** The same client port may lead to two ports of the server at once. */
export function connectionKey(serverPort: number, clientPort: number): number {
  return serverPort * 65_536 + clientPort
}
