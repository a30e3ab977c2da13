import { type Assignment, attacks } from './attacks.ts'

// A process of its own, so that what an attack costs the attacker does not slow down the clients that are measured.
process.on('message', (assignment: Assignment) => {
  void attacks[assignment.attack](assignment).then(() => process.send?.('made'))
})
process.on('disconnect', () => process.exit())
