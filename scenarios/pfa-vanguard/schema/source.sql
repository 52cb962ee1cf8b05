-- PFA Vanguard as it runs today: SQLite, as its object-relational mapper writes it.
-- Keys are UUIDs as text. DATETIME columns hold ISO 8601 text, except in organizations, ai_usage_logs and sync_logs,
-- where an older release of the mapper wrote milliseconds since 1970. Exact amounts are text. Columns that end in
-- _encrypted hold `iv:tag:ciphertext`; the application cannot read them if one byte differs.

CREATE TABLE "users" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "email" TEXT NOT NULL,
    "username" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "first_name" TEXT,
    "last_name" TEXT,
    "role" TEXT NOT NULL DEFAULT 'viewer' CHECK ("role" IN ('admin', 'manager', 'planner', 'viewer')),
    "is_active" BOOLEAN NOT NULL DEFAULT 1,
    "failed_login_count" INTEGER NOT NULL DEFAULT 0 CHECK ("failed_login_count" >= 0),
    "locale" TEXT DEFAULT 'en',
    "biography" TEXT,
    "preferences" TEXT NOT NULL DEFAULT '{}' CHECK (json_valid("preferences")),
    "avatar" BLOB,
    "email_verified_at" DATETIME,
    "last_login_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);
CREATE UNIQUE INDEX "users_email_key" ON "users" ("email");
CREATE UNIQUE INDEX "users_username_key" ON "users" ("username");
CREATE INDEX "users_last_login_at_idx" ON "users" ("last_login_at" DESC);

CREATE TABLE "organizations" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active' CHECK ("status" IN ('active', 'suspended', 'archived')),
    "tier" TEXT NOT NULL DEFAULT 'standard' CHECK ("tier" IN ('free', 'standard', 'enterprise')),
    "is_external" BOOLEAN NOT NULL DEFAULT 0,
    "contact_email" TEXT,
    "country_code" TEXT,
    "currency_code" TEXT NOT NULL DEFAULT 'USD',
    "time_zone" TEXT NOT NULL DEFAULT 'UTC',
    "annual_budget" TEXT,
    "settings" TEXT CHECK ("settings" IS NULL OR json_valid("settings")),
    "notes" TEXT,
    "logo" BLOB,
    "created_by" TEXT,
    "archived_at" DATETIME,
    "created_at" DATETIME NOT NULL,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "organizations_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "users" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "organizations_code_key" ON "organizations" ("code");
CREATE UNIQUE INDEX "organizations_slug_key" ON "organizations" ("slug");
CREATE INDEX "organizations_status_idx" ON "organizations" ("status") WHERE "archived_at" IS NULL;

CREATE TABLE "user_organizations" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "role" TEXT NOT NULL DEFAULT 'member' CHECK ("role" IN ('owner', 'editor', 'member', 'guest')),
    "is_default" BOOLEAN NOT NULL DEFAULT 0,
    "permissions" TEXT CHECK ("permissions" IS NULL OR json_valid("permissions")),
    "invited_by" TEXT,
    "joined_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" DATETIME,
    CONSTRAINT "user_organizations_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "user_organizations_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "user_organizations_invited_by_fkey" FOREIGN KEY ("invited_by") REFERENCES "users" ("id") ON DELETE SET NULL ON UPDATE NO ACTION
);
CREATE UNIQUE INDEX "user_organizations_user_id_organization_id_key" ON "user_organizations" ("user_id", "organization_id");
CREATE INDEX "user_organizations_organization_id_idx" ON "user_organizations" ("organization_id");

CREATE TABLE "ai_providers" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('chat', 'completion', 'embedding')),
    "endpoint_url" TEXT NOT NULL,
    "api_key_encrypted" TEXT,
    "default_model" TEXT NOT NULL,
    "models" TEXT NOT NULL DEFAULT '[]' CHECK (json_valid("models")),
    "price_per_1k_input" TEXT NOT NULL DEFAULT '0',
    "price_per_1k_output" TEXT NOT NULL DEFAULT '0',
    "temperature" REAL NOT NULL DEFAULT 0.7,
    "max_tokens" INTEGER,
    "is_enabled" BOOLEAN NOT NULL DEFAULT 1,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);
CREATE UNIQUE INDEX "ai_providers_name_key" ON "ai_providers" ("name");

CREATE TABLE "organization_ai_configs" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "organization_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "is_primary" BOOLEAN NOT NULL DEFAULT 0,
    "api_key_encrypted" TEXT,
    "model" TEXT,
    "monthly_budget" TEXT,
    "warn_at_share" REAL DEFAULT 0.8,
    "daily_token_limit" INTEGER,
    "system_prompt" TEXT,
    "allowed_roles" TEXT CHECK ("allowed_roles" IS NULL OR json_valid("allowed_roles")),
    "policy_signed" TEXT CHECK ("policy_signed" IS NULL OR json_valid("policy_signed")),
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "organization_ai_configs_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "organization_ai_configs_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "ai_providers" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "organization_ai_configs_organization_id_provider_id_key" ON "organization_ai_configs" ("organization_id", "provider_id");
CREATE UNIQUE INDEX "organization_ai_configs_one_primary" ON "organization_ai_configs" ("organization_id") WHERE "is_primary" = 1;

CREATE TABLE "ai_usage_logs" (
    "sequence" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "request_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "user_id" TEXT,
    "provider_id" TEXT NOT NULL,
    "config_id" TEXT,
    "operation" TEXT NOT NULL CHECK ("operation" IN ('ask', 'summarize', 'classify', 'forecast')),
    "input_tokens" INTEGER NOT NULL DEFAULT 0,
    "output_tokens" INTEGER NOT NULL DEFAULT 0,
    "cost" TEXT NOT NULL DEFAULT '0',
    "latency_ms" REAL,
    "succeeded" BOOLEAN NOT NULL DEFAULT 1,
    "error_message" TEXT,
    "metadata" TEXT CHECK ("metadata" IS NULL OR json_valid("metadata")),
    "created_at" DATETIME NOT NULL,
    CONSTRAINT "ai_usage_logs_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "ai_usage_logs_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "ai_usage_logs_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "ai_providers" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "ai_usage_logs_config_id_fkey" FOREIGN KEY ("config_id") REFERENCES "organization_ai_configs" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "ai_usage_logs_request_id_key" ON "ai_usage_logs" ("request_id");
CREATE INDEX "ai_usage_logs_organization_id_created_at_idx" ON "ai_usage_logs" ("organization_id", "created_at" DESC);
CREATE INDEX "ai_usage_logs_failed_idx" ON "ai_usage_logs" ("created_at") WHERE "succeeded" = 0;

-- This table and field_configurations keep the mapper's own spelling of column names.
CREATE TABLE "api_configurations" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "organizationId" TEXT,
    "ownerId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "baseUrl" TEXT NOT NULL,
    "authType" TEXT NOT NULL DEFAULT 'none' CHECK ("authType" IN ('none', 'basic', 'apiKey', 'oauth2')),
    "usernameEncrypted" TEXT,
    "passwordEncrypted" TEXT,
    "headersSigned" TEXT CHECK ("headersSigned" IS NULL OR json_valid("headersSigned")),
    "connectionStatus" TEXT NOT NULL DEFAULT 'untested' CHECK ("connectionStatus" IN ('untested', 'connected', 'degraded', 'error')),
    "statusMessage" TEXT,
    "isActive" BOOLEAN NOT NULL DEFAULT 1,
    "isTemplate" BOOLEAN NOT NULL DEFAULT 0,
    "sortOrder" INTEGER NOT NULL DEFAULT 0,
    "responseTimeMs" REAL,
    "lastCheckedAt" DATETIME,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" DATETIME NOT NULL,
    CONSTRAINT "api_configurations_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES "organizations" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "api_configurations_ownerId_fkey" FOREIGN KEY ("ownerId") REFERENCES "users" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "api_configurations_organizationId_name_key" ON "api_configurations" ("organizationId", "name");
CREATE INDEX "api_configurations_sortOrder_idx" ON "api_configurations" ("isActive" DESC, "sortOrder");

CREATE TABLE "organization_api_credentials" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "organization_id" TEXT NOT NULL,
    "api_configuration_id" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "credential_kind" TEXT NOT NULL DEFAULT 'basic' CHECK ("credential_kind" IN ('basic', 'token', 'certificate')),
    "username_encrypted" TEXT,
    "secret_encrypted" TEXT NOT NULL,
    "claims_signed" TEXT CHECK ("claims_signed" IS NULL OR json_valid("claims_signed")),
    "certificate" BLOB,
    "fingerprint" TEXT,
    "is_active" BOOLEAN NOT NULL DEFAULT 1,
    "use_count" INTEGER NOT NULL DEFAULT 0,
    "last_used_at" DATETIME,
    "expires_on" DATE,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "organization_api_credentials_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "organization_api_credentials_api_configuration_id_fkey" FOREIGN KEY ("api_configuration_id") REFERENCES "api_configurations" ("id") ON DELETE CASCADE ON UPDATE NO ACTION
);
CREATE UNIQUE INDEX "organization_api_credentials_scope_key" ON "organization_api_credentials" ("organization_id", "api_configuration_id", "label");
CREATE UNIQUE INDEX "organization_api_credentials_fingerprint_key" ON "organization_api_credentials" ("fingerprint") WHERE "fingerprint" IS NOT NULL;

CREATE TABLE "data_source_mappings" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "organization_id" TEXT NOT NULL,
    "api_configuration_id" TEXT,
    "entity" TEXT NOT NULL CHECK ("entity" IN ('pfa', 'asset', 'facility', 'plant')),
    "priority" INTEGER NOT NULL DEFAULT 1 CHECK ("priority" BETWEEN 1 AND 99),
    "path" TEXT,
    "field_map" TEXT NOT NULL DEFAULT '{}' CHECK (json_valid("field_map")),
    "filter_expression" TEXT,
    "is_active" BOOLEAN NOT NULL DEFAULT 1,
    "success_count" INTEGER NOT NULL DEFAULT 0,
    "failure_count" INTEGER NOT NULL DEFAULT 0,
    "average_seconds" REAL,
    "last_success_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "data_source_mappings_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "data_source_mappings_api_configuration_id_fkey" FOREIGN KEY ("api_configuration_id") REFERENCES "api_configurations" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "data_source_mappings_organization_id_entity_priority_key" ON "data_source_mappings" ("organization_id", "entity", "priority");

CREATE TABLE "field_configurations" (
    "organizationId" TEXT NOT NULL,
    "fieldKey" TEXT NOT NULL,
    "displayName" TEXT NOT NULL,
    "dataType" TEXT NOT NULL CHECK ("dataType" IN ('text', 'number', 'date', 'boolean', 'choice')),
    "isRequired" BOOLEAN NOT NULL DEFAULT 0,
    "isVisible" BOOLEAN NOT NULL DEFAULT 1,
    "columnWidth" INTEGER,
    "defaultValue" TEXT,
    "choices" TEXT CHECK ("choices" IS NULL OR json_valid("choices")),
    "helpText" TEXT,
    "changedBy" TEXT,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" DATETIME NOT NULL,
    PRIMARY KEY ("organizationId", "fieldKey"),
    CONSTRAINT "field_configurations_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES "organizations" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "field_configurations_changedBy_fkey" FOREIGN KEY ("changedBy") REFERENCES "users" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE TABLE "pfa_records" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "record_number" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "assigned_to" TEXT,
    "parent_id" TEXT,
    "mapping_id" TEXT,
    "category" TEXT NOT NULL CHECK ("category" IN ('plant', 'facility', 'asset')),
    "status" TEXT NOT NULL DEFAULT 'draft' CHECK ("status" IN ('draft', 'planned', 'forecast', 'actual', 'closed')),
    "description" TEXT,
    "area" TEXT,
    "is_actualized" BOOLEAN NOT NULL DEFAULT 0,
    "is_discontinued" BOOLEAN,
    "quantity" REAL NOT NULL DEFAULT 1,
    "monthly_rate" REAL,
    "plan_amount" TEXT NOT NULL DEFAULT '0',
    "forecast_amount" TEXT,
    "actual_amount" TEXT,
    "plan_start" DATE,
    "plan_end" DATE,
    "tags" TEXT CHECK ("tags" IS NULL OR json_valid("tags")),
    "payload_signed" TEXT CHECK ("payload_signed" IS NULL OR json_valid("payload_signed")),
    "attachment" BLOB,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "pfa_records_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "pfa_records_assignment_fkey" FOREIGN KEY ("organization_id", "assigned_to") REFERENCES "user_organizations" ("organization_id", "user_id") ON DELETE NO ACTION ON UPDATE NO ACTION DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "pfa_records_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "pfa_records" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "pfa_records_mapping_id_fkey" FOREIGN KEY ("mapping_id") REFERENCES "data_source_mappings" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "pfa_records_organization_id_record_number_key" ON "pfa_records" ("organization_id", "record_number");
CREATE INDEX "pfa_records_parent_id_idx" ON "pfa_records" ("parent_id");
CREATE INDEX "pfa_records_status_updated_at_idx" ON "pfa_records" ("status", "updated_at" DESC);
CREATE INDEX "pfa_records_open_idx" ON "pfa_records" ("organization_id", "plan_end") WHERE "is_actualized" = 0;

CREATE TABLE "sync_logs" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "organization_id" TEXT,
    "mapping_id" TEXT NOT NULL,
    "triggered_by" TEXT,
    "sync_type" TEXT NOT NULL DEFAULT 'incremental' CHECK ("sync_type" IN ('full', 'incremental', 'manual')),
    "status" TEXT NOT NULL CHECK ("status" IN ('running', 'succeeded', 'partial', 'failed')),
    "records_read" INTEGER NOT NULL DEFAULT 0,
    "records_written" INTEGER NOT NULL DEFAULT 0,
    "records_failed" INTEGER NOT NULL DEFAULT 0,
    "duration_seconds" REAL,
    "error_message" TEXT,
    "details" TEXT CHECK ("details" IS NULL OR json_valid("details")),
    "started_at" DATETIME NOT NULL,
    "completed_at" DATETIME,
    CONSTRAINT "sync_logs_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "sync_logs_mapping_id_fkey" FOREIGN KEY ("mapping_id") REFERENCES "data_source_mappings" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "sync_logs_triggered_by_fkey" FOREIGN KEY ("triggered_by") REFERENCES "users" ("id") ON DELETE SET DEFAULT ON UPDATE CASCADE
);
CREATE INDEX "sync_logs_mapping_id_started_at_idx" ON "sync_logs" ("mapping_id", "started_at" DESC);
