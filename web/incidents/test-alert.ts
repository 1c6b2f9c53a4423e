// The command that sends one alert, ready for a shell.

/** A curl command with Alertmanager's webhook (version 4), firing since `nowMs`. */
export function testAlertCommand(origin: string, nowMs: number, { withKey }: { readonly withKey: boolean }): string {
  const alert = {
    version: '4',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'HighErrorRate', service: 'checkout', severity: 'critical' },
        annotations: { summary: 'A test alert sent by hand' },
        startsAt: new Date(nowMs).toISOString(),
      },
    ],
  }
  return [
    `curl ${origin}/v1/alerts/alertmanager \\`,
    ...(withKey ? ['  -H "authorization: Bearer $MIDWATCH_KEY" \\'] : []),
    "  -H 'content-type: application/json' \\",
    `  -d '${JSON.stringify(alert)}'`,
  ].join('\n')
}
