/** The front door: everything an app is declared with. */

export type { CacheDefinition } from './cache/cache-definition.ts'
export { cache } from './cache/cache-definition.ts'
export type { BatchContext, ConsumedEvent, HandlerContext } from './delivery/handler.ts'
export { type ConsumerDefinition, on } from './delivery/on.ts'
export type { BatchOptions, OnOptions } from './delivery/on-options.ts'
export { type EventPattern, matching } from './delivery/source.ts'
export type { Change, ChangeMeta, ChangeOp } from './events/change.ts'
export type { CloudEvent } from './events/cloudevents/cloud-event.ts'
export {
  type CloudEventsMode,
  cloudEventsFromHttp,
  cloudEventsToHttp,
  cloudEventToHttp,
  type HttpMessage,
} from './events/cloudevents/http-binding.ts'
export {
  fromCloudEvent,
  type ReceivedEvent,
  type ToCloudEventOptions,
  toCloudEvent,
} from './events/cloudevents/log-record.ts'
export type { Compatibility } from './events/contracts/compatibility.ts'
export type { OlderData } from './events/contracts/upcast.ts'
export { type EventDefinition, event } from './events/event.ts'
export type { Comparison, Condition, Filter } from './events/filter.ts'
export type { Publish, PublishOptions } from './events/publish.ts'
export type { LogRecord } from './events/record.ts'
export { cancelScheduled } from './events/scheduled.ts'
export { type TableDefinition, table } from './events/table.ts'
export { type CloudEventsRouteOptions, cloudEventsRoute } from './gateway/cloud-events-route.ts'
export { type Route, route } from './gateway/route.ts'
export { job } from './jobs/job.ts'
export type { AddOptions, JobContext, JobDefinition, JobOptions } from './jobs/job-definition.ts'
export type { JobState, JobView } from './jobs/list-jobs.ts'
export {
  type Missed,
  type ScheduleDefinition,
  type ScheduleOptions,
  type ScheduleRun,
  schedule,
} from './jobs/schedule.ts'
export { type ErrorCode, errorCatalog, type Issue, PlatformError } from './kernel/errors.ts'
export type { Moment } from './kernel/moment.ts'
export { type Infer, type SchemaLike, type StandardSchema, t } from './kernel/schema.ts'
export { type AppDefinition, type AppOptions, app } from './platform/app-definition.ts'
export type { RunningApp, StartOptions, StartStep, StoreLocation } from './platform/running-app.ts'
export { startApp } from './platform/start-app.ts'
export type { RetentionOptions } from './retention/retention-policy.ts'
export { type IndexDefinition, index } from './search/index-definition.ts'
export type { Sql } from './store/sql.ts'
export type { Expected } from './streams/expected.ts'
export {
  type ProjectionContext,
  type ProjectionDefinition,
  type ProjectionOptions,
  projection,
} from './streams/projection.ts'
export type { ReadStreamOptions } from './streams/read-stream.ts'
export { appendAll, type StreamDefinition, stream } from './streams/stream.ts'
export type {
  AppendOptions,
  NewEvent,
  PendingAppend,
  StreamEvent,
  StreamEvents,
  StreamOptions,
  Within,
} from './streams/stream-types.ts'
