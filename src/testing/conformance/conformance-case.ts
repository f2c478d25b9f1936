/** One fact about a port. Every adapter runs every case, save those for which it declares that it lacks the feature. */
export interface ConformanceCase<Subject, Feature extends string = never> {
  readonly name: string
  readonly needs?: readonly Feature[]
  run(subject: Subject): Promise<void>
}
