// What a source needs of a log: the two calls of it, so that adapters depend on no logging library.
export interface SourceLog {
  info(detail: object, message: string): void
  warn(detail: object, message: string): void
}
