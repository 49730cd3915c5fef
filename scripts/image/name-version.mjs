// name-version.mjs <bill of materials> <version>: names the version that an image is built as. Without one it stays as it is.
import { readFileSync, writeFileSync } from 'node:fs'

const [file, version] = process.argv.slice(2)
if (version) {
  const bill = JSON.parse(readFileSync(file, 'utf8'))
  const { component } = bill.metadata
  component.version = version
  component.purl = `pkg:npm/${component.name}@${version}`
  writeFileSync(file, `${JSON.stringify(bill, null, 1)}\n`)
}
