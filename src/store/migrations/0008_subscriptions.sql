-- What a running consumer is told by hand. Whoever pauses or resumes it, or changes its deliveries, raises the revision:
-- the processes that run it look at both again when the revision they know differs.
alter table millrace.consumers add column revision bigint not null default 0;
