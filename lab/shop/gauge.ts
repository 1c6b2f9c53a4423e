// A gauge that is read at the moment of the scrape: it never tells an old value.
import { Gauge, type Registry } from 'prom-client'

export function addGauge<Label extends string>(
  registry: Registry,
  about: { readonly name: string; readonly help: string; readonly labels?: readonly Label[] },
  read: (gauge: Gauge<Label>) => void,
): void {
  const gauge: Gauge<Label> = new Gauge({
    name: about.name,
    help: about.help,
    labelNames: [...(about.labels ?? [])],
    registers: [],
    collect: () => read(gauge),
  })
  registry.registerMetric(gauge)
}
