// Prints the software bill of materials of the image, CycloneDX as JSON: npm's packages, Node, and Debian's packages. It runs in
// the image's build, beside the installed packages, and changes the package.json there.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const MAX_BYTES = 64 * 1024 * 1024
const DEBIAN_FORMAT = ['Package', 'Version', 'Architecture'].map((field) => `\${${field}}`).join('\t')

const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8', maxBuffer: MAX_BYTES })

// npm looks for the packages that package.json names: those for development are not here, and the addon may be upstream's.
const { devDependencies: _, ...described } = JSON.parse(readFileSync('package.json', 'utf8'))
described.dependencies['uWebSockets.js'] = '*'
writeFileSync('package.json', JSON.stringify(described))
const bill = JSON.parse(run('npm', 'sbom', '--sbom-format=cyclonedx'))
bill.metadata.component.name = described.name

const node = process.versions.node
bill.components.push({ type: 'platform', name: 'node', version: node, purl: `pkg:generic/node@${node}` })
for (const line of run('dpkg-query', '--show', '--showformat', `${DEBIAN_FORMAT}\n`).trim().split('\n')) {
  const [name, version, arch] = line.split('\t')
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${arch}`
  bill.components.push({ 'bom-ref': purl, type: 'library', name, version, purl })
}
process.stdout.write(`${JSON.stringify(bill, null, 1)}\n`)
