CREATE FUNCTION public.ccod_keep_last_event() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        INSERT INTO meta SELECT 'last_gone_event', max(seq) FROM gone HAVING count(*) > 0
        ON CONFLICT (key) DO UPDATE SET value = greatest(meta.value::bigint, excluded.value::bigint);
        RETURN NULL;
    END $$;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.blocks (
    id bigint NOT NULL,
    stream_id bigint NOT NULL,
    start bigint NOT NULL,
    length bigint NOT NULL,
    codec text NOT NULL COLLATE pg_catalog."C",
    data bytea NOT NULL
);
CREATE SEQUENCE public.blocks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.blocks_id_seq OWNED BY public.blocks.id;
CREATE TABLE public.conversations (
    id bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    machine_id bigint NOT NULL,
    project_id bigint,
    title text NOT NULL COLLATE pg_catalog."C",
    title_rank bigint NOT NULL,
    cwd text COLLATE pg_catalog."C",
    latest_cwd text COLLATE pg_catalog."C",
    version text COLLATE pg_catalog."C",
    branch text COLLATE pg_catalog."C",
    model text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    timed boolean NOT NULL,
    appended_at bigint NOT NULL,
    last_error boolean NOT NULL,
    ending text NOT NULL COLLATE pg_catalog."C",
    turn bigint NOT NULL,
    pending_count bigint NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    state_reason text NOT NULL COLLATE pg_catalog."C",
    state_since bigint NOT NULL,
    state_due bigint,
    file_path text NOT NULL COLLATE pg_catalog."C",
    file_deleted_at bigint,
    file_rewritten_at bigint,
    entry_count bigint NOT NULL,
    message_count bigint NOT NULL,
    user_message_count bigint NOT NULL,
    assistant_message_count bigint NOT NULL,
    response_count bigint NOT NULL,
    tool_call_count bigint NOT NULL,
    tool_error_count bigint NOT NULL,
    error_count bigint NOT NULL,
    subagent_count bigint NOT NULL,
    unpriced_response_count bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_creation_5m_tokens bigint NOT NULL,
    cache_creation_1h_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    web_search_requests bigint NOT NULL,
    cost_nanos bigint NOT NULL
);
CREATE SEQUENCE public.conversations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.conversations_id_seq OWNED BY public.conversations.id;
CREATE TABLE public.entries (
    id bigint NOT NULL,
    stream_id bigint NOT NULL,
    "offset" bigint NOT NULL,
    length bigint NOT NULL,
    conversation_id bigint NOT NULL,
    agent text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    subtype text NOT NULL COLLATE pg_catalog."C",
    uuid bytea,
    parent bytea,
    logical_parent bytea,
    at bigint NOT NULL,
    role text COLLATE pg_catalog."C",
    sidechain boolean NOT NULL,
    meta boolean NOT NULL,
    duplicate boolean NOT NULL,
    error boolean NOT NULL,
    response_id bigint,
    digest bigint
);
CREATE SEQUENCE public.entries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.entries_id_seq OWNED BY public.entries.id;
CREATE TABLE public.events (
    seq bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    conversation_id bigint,
    project_id bigint,
    entry_id bigint,
    subject text COLLATE pg_catalog."C",
    detail text COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.events_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.events_seq_seq OWNED BY public.events.seq;
CREATE TABLE public.forgotten_streams (
    machine_id bigint NOT NULL,
    source text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    format text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    conversation text NOT NULL COLLATE pg_catalog."C",
    agent text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.kept (
    namespace text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    value bytea NOT NULL
);
CREATE TABLE public.machines (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.machines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.machines_id_seq OWNED BY public.machines.id;
CREATE TABLE public.message_quarters (
    quarter bigint NOT NULL,
    conversation_id bigint NOT NULL,
    user_count bigint NOT NULL,
    assistant_count bigint NOT NULL
);
CREATE TABLE public.meta (
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.model_quarters (
    quarter bigint NOT NULL,
    conversation_id bigint NOT NULL,
    model text NOT NULL COLLATE pg_catalog."C",
    response_count bigint NOT NULL,
    unpriced_count bigint NOT NULL,
    cost_nanos bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_creation_5m_tokens bigint NOT NULL,
    cache_creation_1h_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    web_search_requests bigint NOT NULL
);
CREATE TABLE public.projects (
    id bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    machine_id bigint NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    settings text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    last_activity bigint,
    conversation_count bigint NOT NULL
);
CREATE SEQUENCE public.projects_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.projects_id_seq OWNED BY public.projects.id;
CREATE TABLE public.quarantine (
    id bigint NOT NULL,
    stream_id bigint NOT NULL,
    "offset" bigint NOT NULL,
    length bigint NOT NULL,
    reason text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL
);
CREATE SEQUENCE public.quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.quarantine_id_seq OWNED BY public.quarantine.id;
CREATE TABLE public.record_types (
    conversation_id bigint NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    subtype text NOT NULL COLLATE pg_catalog."C",
    version text NOT NULL COLLATE pg_catalog."C",
    known boolean NOT NULL,
    count bigint NOT NULL
);
CREATE TABLE public.responses (
    id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    agent text NOT NULL COLLATE pg_catalog."C",
    message_id text NOT NULL COLLATE pg_catalog."C",
    request_id text NOT NULL COLLATE pg_catalog."C",
    model text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_creation_5m_tokens bigint NOT NULL,
    cache_creation_1h_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    web_search_requests bigint NOT NULL,
    service_tier text NOT NULL COLLATE pg_catalog."C",
    speed text NOT NULL COLLATE pg_catalog."C",
    region text NOT NULL COLLATE pg_catalog."C",
    cost_nanos bigint,
    sidechain boolean NOT NULL,
    counted boolean NOT NULL
);
CREATE SEQUENCE public.responses_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.responses_id_seq OWNED BY public.responses.id;
CREATE TABLE public.search (
    key bigint NOT NULL,
    words tsvector NOT NULL
);
CREATE TABLE public.search_keys (
    key bigint NOT NULL,
    entry_id bigint NOT NULL
);
CREATE SEQUENCE public.search_keys_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.search_keys_key_seq OWNED BY public.search_keys.key;
CREATE TABLE public.streams (
    id bigint NOT NULL,
    machine_id bigint NOT NULL,
    source text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    format text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    conversation_id bigint NOT NULL,
    agent text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    rest bytea NOT NULL,
    parser text NOT NULL COLLATE pg_catalog."C",
    packed bigint NOT NULL,
    entry_count bigint NOT NULL,
    last_at bigint,
    model text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    deleted_at bigint,
    rewritten_at bigint
);
CREATE SEQUENCE public.streams_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.streams_id_seq OWNED BY public.streams.id;
CREATE TABLE public.subagents (
    conversation_id bigint NOT NULL,
    agent text NOT NULL COLLATE pg_catalog."C",
    agent_type text COLLATE pg_catalog."C",
    description text COLLATE pg_catalog."C",
    parent_agent text COLLATE pg_catalog."C",
    depth bigint,
    tool_use_id text COLLATE pg_catalog."C",
    rank bigint NOT NULL
);
CREATE TABLE public.summaries (
    conversation_id bigint NOT NULL,
    leaf bytea NOT NULL,
    title text NOT NULL COLLATE pg_catalog."C",
    rank bigint NOT NULL
);
CREATE TABLE public.tombstones (
    kind text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL
);
CREATE TABLE public.tool_calls (
    conversation_id bigint NOT NULL,
    agent text NOT NULL COLLATE pg_catalog."C",
    tool_use_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    use_entry_id bigint,
    use_index bigint NOT NULL,
    result_entry_id bigint,
    used_at bigint,
    answered_at bigint,
    is_error boolean NOT NULL,
    duration_ms bigint,
    turn bigint NOT NULL
);
CREATE TABLE public.tool_quarters (
    quarter bigint NOT NULL,
    conversation_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    call_count bigint NOT NULL,
    pending_count bigint NOT NULL,
    error_count bigint NOT NULL,
    timed_count bigint NOT NULL,
    duration_ms bigint NOT NULL
);
ALTER TABLE ONLY public.blocks ALTER COLUMN id SET DEFAULT nextval('public.blocks_id_seq'::regclass);
ALTER TABLE ONLY public.conversations ALTER COLUMN id SET DEFAULT nextval('public.conversations_id_seq'::regclass);
ALTER TABLE ONLY public.entries ALTER COLUMN id SET DEFAULT nextval('public.entries_id_seq'::regclass);
ALTER TABLE ONLY public.events ALTER COLUMN seq SET DEFAULT nextval('public.events_seq_seq'::regclass);
ALTER TABLE ONLY public.machines ALTER COLUMN id SET DEFAULT nextval('public.machines_id_seq'::regclass);
ALTER TABLE ONLY public.projects ALTER COLUMN id SET DEFAULT nextval('public.projects_id_seq'::regclass);
ALTER TABLE ONLY public.quarantine ALTER COLUMN id SET DEFAULT nextval('public.quarantine_id_seq'::regclass);
ALTER TABLE ONLY public.responses ALTER COLUMN id SET DEFAULT nextval('public.responses_id_seq'::regclass);
ALTER TABLE ONLY public.search_keys ALTER COLUMN key SET DEFAULT nextval('public.search_keys_key_seq'::regclass);
ALTER TABLE ONLY public.streams ALTER COLUMN id SET DEFAULT nextval('public.streams_id_seq'::regclass);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_stream_id_start_key UNIQUE (stream_id, start);
ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_key_key UNIQUE (key);
ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_stream_id_offset_key UNIQUE (stream_id, "offset");
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.forgotten_streams
    ADD CONSTRAINT forgotten_streams_pkey PRIMARY KEY (machine_id, source, key);
ALTER TABLE ONLY public.kept
    ADD CONSTRAINT kept_pkey PRIMARY KEY (namespace, key);
ALTER TABLE ONLY public.machines
    ADD CONSTRAINT machines_name_key UNIQUE (name);
ALTER TABLE ONLY public.machines
    ADD CONSTRAINT machines_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.message_quarters
    ADD CONSTRAINT message_quarters_pkey PRIMARY KEY (quarter, conversation_id);
ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.model_quarters
    ADD CONSTRAINT model_quarters_pkey PRIMARY KEY (quarter, conversation_id, model);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_key_key UNIQUE (key);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_stream_id_offset_key UNIQUE (stream_id, "offset");
ALTER TABLE ONLY public.record_types
    ADD CONSTRAINT record_types_pkey PRIMARY KEY (conversation_id, type, subtype, version);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT responses_message_id_request_id_conversation_id_agent_key UNIQUE (message_id, request_id, conversation_id, agent);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT responses_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.search_keys
    ADD CONSTRAINT search_keys_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.search
    ADD CONSTRAINT search_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.streams
    ADD CONSTRAINT streams_machine_id_source_key_key UNIQUE (machine_id, source, key);
ALTER TABLE ONLY public.streams
    ADD CONSTRAINT streams_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.subagents
    ADD CONSTRAINT subagents_pkey PRIMARY KEY (conversation_id, agent);
ALTER TABLE ONLY public.summaries
    ADD CONSTRAINT summaries_pkey PRIMARY KEY (conversation_id, leaf);
ALTER TABLE ONLY public.tombstones
    ADD CONSTRAINT tombstones_pkey PRIMARY KEY (kind, key);
ALTER TABLE ONLY public.tool_calls
    ADD CONSTRAINT tool_calls_pkey PRIMARY KEY (conversation_id, agent, tool_use_id);
ALTER TABLE ONLY public.tool_quarters
    ADD CONSTRAINT tool_quarters_pkey PRIMARY KEY (quarter, conversation_id, name);
CREATE INDEX ix_conversations_created ON public.conversations USING btree (created_at);
CREATE INDEX ix_conversations_due ON public.conversations USING btree (state_due) WHERE (state_due IS NOT NULL);
CREATE INDEX ix_conversations_project ON public.conversations USING btree (project_id, updated_at);
CREATE INDEX ix_conversations_updated ON public.conversations USING btree (updated_at);
CREATE INDEX ix_entries_messages ON public.entries USING btree (conversation_id, agent, at, id, role) WHERE (role IS NOT NULL);
CREATE INDEX ix_entries_response ON public.entries USING btree (response_id) WHERE (response_id IS NOT NULL);
CREATE INDEX ix_entries_uuid ON public.entries USING btree (conversation_id, uuid);
CREATE INDEX ix_events_conversation ON public.events USING btree (conversation_id, seq);
CREATE INDEX ix_events_entry ON public.events USING btree (entry_id) WHERE (entry_id IS NOT NULL);
CREATE INDEX ix_events_project ON public.events USING btree (project_id, seq);
CREATE INDEX ix_events_subject ON public.events USING btree (subject, seq) WHERE (subject IS NOT NULL);
CREATE INDEX ix_message_quarters_conversation ON public.message_quarters USING btree (conversation_id);
CREATE INDEX ix_model_quarters_conversation ON public.model_quarters USING btree (conversation_id);
CREATE INDEX ix_responses_conversation ON public.responses USING btree (conversation_id, at);
CREATE INDEX ix_responses_counted ON public.responses USING btree (at) WHERE counted;
CREATE INDEX ix_search_words ON public.search USING gin (words);
CREATE INDEX ix_streams_conversation ON public.streams USING btree (conversation_id, agent);
CREATE INDEX ix_streams_loose ON public.streams USING btree (updated_at) WHERE ("position" > packed);
CREATE INDEX ix_summaries_leaf ON public.summaries USING btree (leaf);
CREATE INDEX ix_tool_calls_result ON public.tool_calls USING btree (result_entry_id);
CREATE INDEX ix_tool_calls_use ON public.tool_calls USING btree (use_entry_id);
CREATE INDEX ix_tool_calls_used ON public.tool_calls USING btree (conversation_id, agent, used_at, use_entry_id, use_index);
CREATE INDEX ix_tool_quarters_conversation ON public.tool_quarters USING btree (conversation_id);
CREATE TRIGGER ccod_keep_last_event AFTER DELETE ON public.events REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.ccod_keep_last_event();
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_stream_id_fkey FOREIGN KEY (stream_id) REFERENCES public.streams(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES public.machines(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_response_id_fkey FOREIGN KEY (response_id) REFERENCES public.responses(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_stream_id_fkey FOREIGN KEY (stream_id) REFERENCES public.streams(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.forgotten_streams
    ADD CONSTRAINT forgotten_streams_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES public.machines(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.message_quarters
    ADD CONSTRAINT message_quarters_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.model_quarters
    ADD CONSTRAINT model_quarters_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES public.machines(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_stream_id_fkey FOREIGN KEY (stream_id) REFERENCES public.streams(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.record_types
    ADD CONSTRAINT record_types_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT responses_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.streams
    ADD CONSTRAINT streams_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.streams
    ADD CONSTRAINT streams_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES public.machines(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.subagents
    ADD CONSTRAINT subagents_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.summaries
    ADD CONSTRAINT summaries_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.tool_calls
    ADD CONSTRAINT tool_calls_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.tool_calls
    ADD CONSTRAINT tool_calls_result_entry_id_fkey FOREIGN KEY (result_entry_id) REFERENCES public.entries(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.tool_calls
    ADD CONSTRAINT tool_calls_use_entry_id_fkey FOREIGN KEY (use_entry_id) REFERENCES public.entries(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.tool_quarters
    ADD CONSTRAINT tool_quarters_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) DEFERRABLE INITIALLY DEFERRED;
