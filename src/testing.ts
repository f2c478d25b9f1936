/** The test kit: a platform per test on a real Postgres, a clock that moves when told, faults at named points. */
export type { Fault, Faults } from './kernel/faults.ts'
export { type TestApp, type TestAppOptions, testApp } from './testing/test-app.ts'
export { type TestClock, testClock } from './testing/test-clock.ts'
export {
  startTestServer,
  type TestDatabase,
  type TestServer,
  testDatabase,
  useTestServer,
} from './testing/test-postgres.ts'
