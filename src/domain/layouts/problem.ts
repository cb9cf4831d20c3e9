/** Thrown inside a layout's reading and turned into its `problem`: no error, for nothing went wrong here. */
export class Problem {
  /** @param text a clause for people, such as `value is not JSON` */
  constructor(readonly text: string) {}
}
