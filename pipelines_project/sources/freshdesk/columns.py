"""The columns that Freshdesk documents for its lists, with their dlt types.

Declared, so that a month's schema does not hang on its first row (API v2, "Tickets", "Contacts",
"Companies", "Agents", "Groups", "Roles"). Lists and `custom_fields` are JSON.
"""

from dlt.common.schema.typing import TColumnSchema

_COMMON = {"id": "bigint", "created_at": "timestamp", "updated_at": "timestamp"}

_TYPES: dict[str, dict[str, str]] = {
    "tickets": {
        "text": "subject type support_email description description_text email phone name "
        "facebook_id twitter_id requester__name requester__email requester__mobile "
        "requester__phone",
        "bigint": "status priority source requester_id responder_id group_id company_id product_id "
        "email_config_id association_type associated_tickets_count internal_agent_id "
        "internal_group_id requester__id",
        "bool": "deleted spam fr_escalated nr_escalated is_escalated",
        "timestamp": "due_by fr_due_by nr_due_by stats__agent_responded_at "
        "stats__requester_responded_at stats__first_responded_at stats__status_updated_at "
        "stats__reopened_at stats__resolved_at stats__closed_at stats__pending_since",
        "json": "cc_emails fwd_emails reply_cc_emails ticket_cc_emails ticket_bcc_emails to_emails "
        "tags custom_fields source_additional_info associated_tickets_list",
    },
    "contacts": {
        "text": "name first_name last_name email phone mobile address description job_title "
        "language time_zone twitter_id facebook_id unique_external_id preferred_source",
        "bigint": "company_id csat_rating",
        "bool": "active deleted blocked view_all_tickets",
        "json": "other_emails other_companies tags custom_fields",
    },
    "companies": {
        "text": "name description note health_score account_tier industry",
        "timestamp": "renewal_date",
        "json": "domains custom_fields",
    },
    "agents": {
        "text": "type signature contact__name contact__email contact__phone contact__mobile "
        "contact__job_title contact__language contact__time_zone",
        "bigint": "ticket_scope agent_level_id",
        "bool": "available occasional deactivated focus_mode contact__active",
        "timestamp": "last_active_at available_since contact__created_at contact__updated_at "
        "contact__last_login_at",
        "json": "group_ids role_ids skill_ids",
    },
    "groups": {
        "text": "name description group_type unassigned_for",
        "bigint": "escalate_to business_hour_id auto_ticket_assign",
        "json": "agent_ids",
    },
    "roles": {
        "text": "name description",
        "bigint": "agent_type",
        "bool": "default",
    },
}

TABLES = tuple(_TYPES)


def documented_types(table: str) -> dict[str, str]:
    """Return the dlt type of each documented column of one of the tables."""
    types = {**_COMMON}
    for data_type, names in _TYPES[table].items():
        types |= dict.fromkeys(names.split(), data_type)
    return types


def columns(table: str) -> dict[str, TColumnSchema]:
    """Return the documented columns of one of the tables; `id` and `updated_at` are required."""
    return {
        name: {"data_type": data_type, "nullable": name not in ("id", "updated_at")}  # type: ignore[typeddict-item]
        for name, data_type in documented_types(table).items()
    }
