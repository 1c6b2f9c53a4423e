// Entries of an allow-list of tools.

/** Whether a tool's name, or the begin of names such as `get_*`, names this tool. */
export const matchesTool = (pattern: string, tool: string): boolean =>
  pattern.endsWith('*') ? tool.startsWith(pattern.slice(0, -1)) : tool === pattern
