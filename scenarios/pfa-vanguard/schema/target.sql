-- PFA Vanguard as it is to run: PostgreSQL with types of its own. Tables, keys, uniques, indexes and actions are those of
-- source.sql; column names are snake_case throughout. Whatever is encrypted or signed stays text or json, which keep every
-- byte; jsonb is only where the value counts. The types json and jsonb take the place of the json_valid checks.

CREATE TABLE users (
    id uuid NOT NULL PRIMARY KEY,
    email text NOT NULL,
    username text NOT NULL,
    password_hash text NOT NULL,
    first_name text,
    last_name text,
    role text NOT NULL DEFAULT 'viewer' CHECK (role IN ('admin', 'manager', 'planner', 'viewer')),
    is_active boolean NOT NULL DEFAULT true,
    failed_login_count integer NOT NULL DEFAULT 0 CHECK (failed_login_count >= 0),
    locale text DEFAULT 'en',
    biography text,
    preferences jsonb NOT NULL DEFAULT '{}',
    avatar bytea,
    email_verified_at timestamptz,
    last_login_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_email_key ON users (email);
CREATE UNIQUE INDEX users_username_key ON users (username);
CREATE INDEX users_last_login_at_idx ON users (last_login_at DESC);

CREATE TABLE organizations (
    id uuid NOT NULL PRIMARY KEY,
    code text NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'archived')),
    tier text NOT NULL DEFAULT 'standard' CHECK (tier IN ('free', 'standard', 'enterprise')),
    is_external boolean NOT NULL DEFAULT false,
    contact_email text,
    country_code text,
    currency_code text NOT NULL DEFAULT 'USD',
    time_zone text NOT NULL DEFAULT 'UTC',
    annual_budget numeric(18,4),
    settings jsonb,
    notes text,
    logo bytea,
    created_by uuid,
    archived_at timestamp(3),
    created_at timestamp(3) NOT NULL,
    updated_at timestamp(3) NOT NULL,
    CONSTRAINT organizations_created_by_fkey FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX organizations_code_key ON organizations (code);
CREATE UNIQUE INDEX organizations_slug_key ON organizations (slug);
CREATE INDEX organizations_status_idx ON organizations (status) WHERE archived_at IS NULL;

CREATE TABLE user_organizations (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'editor', 'member', 'guest')),
    is_default boolean NOT NULL DEFAULT false,
    permissions jsonb,
    invited_by uuid,
    joined_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires_at timestamptz,
    CONSTRAINT user_organizations_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT user_organizations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT user_organizations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES users (id) ON DELETE SET NULL ON UPDATE NO ACTION
);
CREATE UNIQUE INDEX user_organizations_user_id_organization_id_key ON user_organizations (user_id, organization_id);
CREATE INDEX user_organizations_organization_id_idx ON user_organizations (organization_id);

CREATE TABLE ai_providers (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('chat', 'completion', 'embedding')),
    endpoint_url text NOT NULL,
    api_key_encrypted text,
    default_model text NOT NULL,
    models jsonb NOT NULL DEFAULT '[]',
    price_per_1k_input numeric(18,8) NOT NULL DEFAULT 0,
    price_per_1k_output numeric(18,8) NOT NULL DEFAULT 0,
    temperature double precision NOT NULL DEFAULT 0.7,
    max_tokens integer,
    is_enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX ai_providers_name_key ON ai_providers (name);

CREATE TABLE organization_ai_configs (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    is_primary boolean NOT NULL DEFAULT false,
    api_key_encrypted text,
    model text,
    monthly_budget numeric(18,4),
    warn_at_share double precision DEFAULT 0.8,
    daily_token_limit bigint,
    system_prompt text,
    allowed_roles jsonb,
    policy_signed text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL,
    CONSTRAINT organization_ai_configs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT organization_ai_configs_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES ai_providers (id) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX organization_ai_configs_organization_id_provider_id_key ON organization_ai_configs (organization_id, provider_id);
CREATE UNIQUE INDEX organization_ai_configs_one_primary ON organization_ai_configs (organization_id) WHERE is_primary;

CREATE TABLE ai_usage_logs (
    sequence bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid,
    provider_id uuid NOT NULL,
    config_id uuid,
    operation text NOT NULL CHECK (operation IN ('ask', 'summarize', 'classify', 'forecast')),
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cost numeric(18,4) NOT NULL DEFAULT 0,
    latency_ms double precision,
    succeeded boolean NOT NULL DEFAULT true,
    error_message text,
    metadata jsonb,
    created_at timestamp(3) NOT NULL,
    CONSTRAINT ai_usage_logs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT ai_usage_logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT ai_usage_logs_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES ai_providers (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ai_usage_logs_config_id_fkey FOREIGN KEY (config_id) REFERENCES organization_ai_configs (id) ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX ai_usage_logs_request_id_key ON ai_usage_logs (request_id);
CREATE INDEX ai_usage_logs_organization_id_created_at_idx ON ai_usage_logs (organization_id, created_at DESC);
CREATE INDEX ai_usage_logs_failed_idx ON ai_usage_logs (created_at) WHERE NOT succeeded;

CREATE TABLE api_configurations (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid,
    owner_id uuid NOT NULL,
    name text NOT NULL,
    base_url text NOT NULL,
    auth_type text NOT NULL DEFAULT 'none' CHECK (auth_type IN ('none', 'basic', 'apiKey', 'oauth2')),
    username_encrypted text,
    password_encrypted text,
    headers_signed json,
    connection_status text NOT NULL DEFAULT 'untested' CHECK (connection_status IN ('untested', 'connected', 'degraded', 'error')),
    status_message text,
    is_active boolean NOT NULL DEFAULT true,
    is_template boolean NOT NULL DEFAULT false,
    sort_order integer NOT NULL DEFAULT 0,
    response_time_ms double precision,
    last_checked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL,
    CONSTRAINT api_configurations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT api_configurations_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX api_configurations_organization_id_name_key ON api_configurations (organization_id, name);
CREATE INDEX api_configurations_sort_order_idx ON api_configurations (is_active DESC, sort_order);

CREATE TABLE organization_api_credentials (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    api_configuration_id uuid NOT NULL,
    label text NOT NULL,
    credential_kind text NOT NULL DEFAULT 'basic' CHECK (credential_kind IN ('basic', 'token', 'certificate')),
    username_encrypted text,
    secret_encrypted text NOT NULL,
    claims_signed json,
    certificate bytea,
    fingerprint text,
    is_active boolean NOT NULL DEFAULT true,
    use_count bigint NOT NULL DEFAULT 0,
    last_used_at timestamptz,
    expires_on date,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL,
    CONSTRAINT organization_api_credentials_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT organization_api_credentials_api_configuration_id_fkey FOREIGN KEY (api_configuration_id) REFERENCES api_configurations (id) ON DELETE CASCADE ON UPDATE NO ACTION
);
CREATE UNIQUE INDEX organization_api_credentials_scope_key ON organization_api_credentials (organization_id, api_configuration_id, label);
CREATE UNIQUE INDEX organization_api_credentials_fingerprint_key ON organization_api_credentials (fingerprint) WHERE fingerprint IS NOT NULL;

CREATE TABLE data_source_mappings (
    id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    api_configuration_id uuid,
    entity text NOT NULL CHECK (entity IN ('pfa', 'asset', 'facility', 'plant')),
    priority integer NOT NULL DEFAULT 1 CHECK (priority BETWEEN 1 AND 99),
    path text,
    field_map jsonb NOT NULL DEFAULT '{}',
    filter_expression text,
    is_active boolean NOT NULL DEFAULT true,
    success_count bigint NOT NULL DEFAULT 0,
    failure_count bigint NOT NULL DEFAULT 0,
    average_seconds double precision,
    last_success_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL,
    CONSTRAINT data_source_mappings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT data_source_mappings_api_configuration_id_fkey FOREIGN KEY (api_configuration_id) REFERENCES api_configurations (id) ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX data_source_mappings_organization_id_entity_priority_key ON data_source_mappings (organization_id, entity, priority);

CREATE TABLE field_configurations (
    organization_id uuid NOT NULL,
    field_key text NOT NULL,
    display_name text NOT NULL,
    data_type text NOT NULL CHECK (data_type IN ('text', 'number', 'date', 'boolean', 'choice')),
    is_required boolean NOT NULL DEFAULT false,
    is_visible boolean NOT NULL DEFAULT true,
    column_width integer,
    default_value text,
    choices jsonb,
    help_text text,
    changed_by uuid,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, field_key),
    CONSTRAINT field_configurations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT field_configurations_changed_by_fkey FOREIGN KEY (changed_by) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE TABLE pfa_records (
    id uuid NOT NULL PRIMARY KEY,
    record_number text NOT NULL,
    organization_id uuid NOT NULL,
    assigned_to uuid,
    parent_id uuid,
    mapping_id uuid,
    category text NOT NULL CHECK (category IN ('plant', 'facility', 'asset')),
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'planned', 'forecast', 'actual', 'closed')),
    description text,
    area text,
    is_actualized boolean NOT NULL DEFAULT false,
    is_discontinued boolean,
    quantity double precision NOT NULL DEFAULT 1,
    monthly_rate double precision,
    plan_amount numeric(18,4) NOT NULL DEFAULT 0,
    forecast_amount numeric(18,4),
    actual_amount numeric(18,4),
    plan_start date,
    plan_end date,
    tags jsonb,
    payload_signed json,
    attachment bytea,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pfa_records_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT pfa_records_assignment_fkey FOREIGN KEY (organization_id, assigned_to) REFERENCES user_organizations (organization_id, user_id) ON DELETE NO ACTION ON UPDATE NO ACTION DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT pfa_records_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES pfa_records (id) ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT pfa_records_mapping_id_fkey FOREIGN KEY (mapping_id) REFERENCES data_source_mappings (id) ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX pfa_records_organization_id_record_number_key ON pfa_records (organization_id, record_number);
CREATE INDEX pfa_records_parent_id_idx ON pfa_records (parent_id);
CREATE INDEX pfa_records_status_updated_at_idx ON pfa_records (status, updated_at DESC);
CREATE INDEX pfa_records_open_idx ON pfa_records (organization_id, plan_end) WHERE NOT is_actualized;

CREATE TABLE sync_logs (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    organization_id uuid,
    mapping_id uuid NOT NULL,
    triggered_by uuid,
    sync_type text NOT NULL DEFAULT 'incremental' CHECK (sync_type IN ('full', 'incremental', 'manual')),
    status text NOT NULL CHECK (status IN ('running', 'succeeded', 'partial', 'failed')),
    records_read bigint NOT NULL DEFAULT 0,
    records_written bigint NOT NULL DEFAULT 0,
    records_failed bigint NOT NULL DEFAULT 0,
    duration_seconds double precision,
    error_message text,
    details jsonb,
    started_at timestamp(3) NOT NULL,
    completed_at timestamp(3),
    CONSTRAINT sync_logs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT sync_logs_mapping_id_fkey FOREIGN KEY (mapping_id) REFERENCES data_source_mappings (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT sync_logs_triggered_by_fkey FOREIGN KEY (triggered_by) REFERENCES users (id) ON DELETE SET DEFAULT ON UPDATE CASCADE
);
CREATE INDEX sync_logs_mapping_id_started_at_idx ON sync_logs (mapping_id, started_at DESC);

COMMENT ON TABLE users IS 'People who sign in';
COMMENT ON TABLE organizations IS 'Tenants';
COMMENT ON TABLE user_organizations IS 'Which user belongs to which tenant, and as what';
COMMENT ON TABLE pfa_records IS 'Forecast records of plants, facilities and assets';
COMMENT ON COLUMN users.password_hash IS 'bcrypt';
COMMENT ON COLUMN ai_providers.api_key_encrypted IS 'iv:tag:ciphertext; must not change by a byte';
COMMENT ON COLUMN organization_ai_configs.policy_signed IS 'The signature covers the text, so the type is text';
COMMENT ON COLUMN api_configurations.headers_signed IS 'The signature covers the text, so the type is json and not jsonb';
COMMENT ON COLUMN pfa_records.payload_signed IS 'The signature covers the text, so the type is json and not jsonb';
COMMENT ON COLUMN pfa_records.plan_amount IS 'In the currency of the tenant';
COMMENT ON INDEX organization_ai_configs_one_primary IS 'At most one primary configuration a tenant';
