/** Prints one measured figure of a fault test, on a line of its own: `figure: <name> <value> <unit>`. */
export function figure(name: string, value: number, unit: string): void {
  console.log(`figure: ${name} ${Number.isInteger(value) ? value : value.toFixed(2)} ${unit}`)
}
