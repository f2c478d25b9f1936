-- What a running consumer is told by hand. Whoever pauses or resumes it, or changes its deliveries, raises the revision:
-- the processes that run it look at both again when the revision they know differs.
alter table millrace.consumers
  add column revision bigint not null default 0,
  -- The failure for which it paused itself: { position, code, message }. Null when it runs or was paused by hand.
  add column stopped_by json;

-- Events that kill their process. A slot whose holder died counts it; the count begins anew once the slot is beyond what
-- that holder can have had in hand. After two deaths in a row the stretch is tried one by one.
alter table millrace.consumer_slots
  add column crashes smallint not null default 0,
  add column suspect_until bigint not null default 0;

-- Tries that were written down before they began and have not ended: while it is handled, or because its process died.
alter table millrace.deliveries add column deaths smallint not null default 0;
