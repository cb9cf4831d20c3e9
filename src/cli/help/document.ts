export interface HelpDoc {
  readonly schema: 'disco.help/v1'
  /** A command or a topic; null for the tool itself. */
  readonly subject: string | null
  readonly text: string
}
