import { rows } from '../../test/access/matrix.ts'

/** `docs/access.md`: what every kind of caller gets of every definition. */
export function accessPage(): string {
  const lines = rows.map(({ type, definition, cells }) => {
    const shown = [cells.anonymous, cells.owner, cells.other, cells.token, cells.admin].map((cell) => {
      return cell === 'ok' ? 'yes' : `\`${cell}\``
    })
    return `| \`${type}\` | ${definition.access} | ${definition.scope} | ${shown.join(' | ')} |`
  })
  return `# Who may call what

\`npm run docs\` writes this page from \`test/access/\`, and \`test/access/matrix.test.ts\` asks every definition as each of these callers. *Yes*
is an answer; else it is the code of the error. What is asked for belongs to the *owner*: a match that they opened, a value that
they stored. Where nothing belongs to anybody, the owner is a user like the other one. The *token* is one of the owner with every
scope but the one that is needed; where \`none\` is needed it has all. The server asks for passkeys (\`SECOND_FACTOR=passkey\`). Each
definition answers at least one caller, and refuses with codes that it declares or that follow from access and scope.

| | access | scope | anonymous | owner | other user | token without the scope | admin |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}
`
}
