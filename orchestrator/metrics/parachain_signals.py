"""Signals of the parachain subsystems, in validators and collators. Part of `signals.CATALOGUE`."""

from orchestrator.metrics.signal import COLLATORS, EMBEDDED, VALIDATORS, about, gauge, lazy, summed

_parachain = about("parachains")
_approval = about("approval")
_dispute = about("disputes")
_validation = about("validation")

_ENQUEUED, _CONCLUDED = gauge("polkadot_pvf_prepare_enqueued"), gauge("polkadot_pvf_prepare_concluded")

PARACHAINS = (
    _parachain(
        "candidates-seconded", "Candidates seconded", "Parachain candidates that the validator was the first to back.",
        "", "higher", "counter", gauge("polkadot_parachain_candidate_backing_candidates_seconded_total"),
        VALIDATORS, monotone=True,
    ),
    _parachain(
        "statements-signed", "Backing statements", "Statements about candidates that the validator has signed.",
        "", "higher", "counter", gauge("polkadot_parachain_candidate_backing_signed_statements_total"),
        VALIDATORS, monotone=True,
    ),
    _parachain(
        "bitfields-signed", "Bitfields signed", "Availability bitfields that the validator has signed, one a block.",
        "", "higher", "counter", gauge("polkadot_parachain_bitfields_signed_total"), VALIDATORS, monotone=True,
    ),
    _parachain(
        "chunks-received", "Chunks received", "Erasure-coded chunks that the validator keeps available for others.",
        "", "higher", "counter", gauge("polkadot_parachain_received_availability_chunks_total"),
        VALIDATORS, monotone=True,
    ),
    _parachain(
        "chunk-fetch-failures", "Failed chunk fetches", "Chunks that the validator could not get from its peers.",
        "", "lower", "counter", lazy("polkadot_parachain_fetched_chunks_total", 'success!="succeeded"'),
        VALIDATORS, monotone=True,
    ),
    _parachain(
        "pov-fetch-failures", "Failed PoV fetches", "Proofs of validity that the validator could not get from others.",
        "", "lower", "counter", lazy("polkadot_parachain_fetched_povs_total", 'success!="succeeded"'),
        VALIDATORS, monotone=True,
    ),
    _parachain(
        "recoveries-failed", "Failed recoveries", "Candidates whose data could not be recovered from chunks.",
        "", "lower", "counter",
        lazy("polkadot_parachain_availability_recovery_recoveries_finished", 'result!="success"'),
        VALIDATORS, monotone=True,
    ),
    _parachain(
        "collations-requested-in-vain", "Failed collation requests",
        "Collations that the validator could not get from a collator.",
        "", "lower", "counter", lazy("polkadot_parachain_collation_requests_total", 'success!="succeeded"'),
        VALIDATORS, monotone=True,
    ),
    _parachain(
        "collations-generated", "Collations generated", "Candidates that the collator has made.",
        "", "higher", "counter", gauge("polkadot_parachain_collations_generated_total"), EMBEDDED, monotone=True,
    ),
    _parachain(
        "collations-sent", "Collations sent", "Candidates that validators have fetched from the collator.",
        "", "higher", "counter", gauge("polkadot_parachain_collations_sent_total"), EMBEDDED, monotone=True,
    ),
    _parachain(
        "blocks-backed", "Blocks seen backed", "The collator's own blocks that it saw backed on the relay chain.",
        "blocks", "higher", "histogram", gauge("parachain_block_backed_duration_count"), COLLATORS, monotone=True,
    ),
    _parachain(
        "parachain-validators", "Parachain validators", "1 when the validator takes part in parachain consensus.",
        "", "higher", "gauge", gauge("polkadot_node_is_parachain_validator"), VALIDATORS,
    ),
    _parachain(
        "active-validators", "In the active set", "1 when the validator is in the active set of this session.",
        "", "higher", "gauge", gauge("polkadot_node_is_active_validator"), VALIDATORS,
    ),
    _parachain(
        "validation-peers", "Validation peers", "Validators that the validator's parachain protocols are connected to.",
        "", "higher", "gauge", summed("polkadot_parachain_peer_count", 'protocol=~"validation.*"'), VALIDATORS,
    ),
    _parachain(
        "validation-peers-missing", "Missing validation peers",
        "Validators that the validator's parachain protocols want and are not connected to.",
        "", "lower", "gauge",
        f"""{summed("polkadot_parachain_desired_peer_count", 'protocol=~"validation.*"')} - """
        f"""{summed("polkadot_parachain_peer_count", 'protocol=~"validation.*"')}""",
        VALIDATORS,
    ),
)  # fmt: skip

APPROVAL = (
    _approval(
        "approval-lag", "Approval lag", "Blocks by which unfinished approval checking holds finality back.",
        "blocks", "lower", "gauge", gauge("polkadot_parachain_approval_checking_finality_lag"), VALIDATORS,
    ),
    _approval(
        "no-shows", "No-shows", "Approval checkers that did not answer in time, as the validator counts them.",
        "", "lower", "counter", gauge("polkadot_parachain_approvals_no_shows_total"), VALIDATORS, monotone=True,
    ),
    _approval(
        "observed-no-shows", "No-shows in the end",
        "Approval checkers that had still not answered when their candidate was approved.",
        "", "lower", "counter", gauge("polkadot_parachain_approvals_observed_no_shows_total"),
        VALIDATORS, monotone=True,
    ),
    _approval(
        "unapproved-candidates", "Unapproved candidates", "Candidates in the unfinalised chain that wait for approval.",
        "", "lower", "gauge", gauge("polkadot_parachain_approval_unapproved_candidates_in_unfinalized_chain"),
        VALIDATORS,
    ),
    _approval(
        "approvals-failed", "Failed approvals",
        "Approval checks of the validator that found a candidate invalid or its data unavailable, or broke.",
        "", "lower", "counter",
        lazy("polkadot_parachain_approvals_produced_total", 'status=~"invalid|unavailable|internal error"'),
        VALIDATORS, monotone=True,
    ),
)  # fmt: skip

DISPUTES = (
    _dispute(
        "disputes", "Disputes", "Disputes over parachain candidates that the validator has seen since it started.",
        "", "lower", "counter", gauge("polkadot_parachain_candidate_disputes_total"), VALIDATORS, monotone=True,
    ),
    _dispute(
        "disputes-concluded", "Disputes concluded", "Disputes that ended with a supermajority, either way.",
        "", "neither", "counter", lazy("polkadot_parachain_candidate_dispute_concluded", 'validity=~".+"'),
        VALIDATORS, monotone=True,
    ),
    _dispute(
        "disputes-lost", "Disputes lost", "Disputes that ended against the candidate: an included block was invalid.",
        "", "lower", "counter", lazy("polkadot_parachain_candidate_dispute_concluded", 'validity="invalid"'),
        VALIDATORS, monotone=True,
    ),
    _dispute(
        "dispute-lag", "Dispute lag", "Blocks by which open disputes hold finality back.",
        "blocks", "lower", "gauge", gauge("polkadot_parachain_disputes_finality_lag"), VALIDATORS,
    ),
    _dispute(
        "dispute-queue", "Dispute queue", "Disputes in which the validator still has to take part.",
        "", "lower", "gauge", gauge("polkadot_parachain_dispute_participation_priority_queue_size"), VALIDATORS,
    ),
)  # fmt: skip

VALIDATION = (
    _validation(
        "pvf-prepared", "Prepared PVFs",
        "Parachain validation functions that the validator has finished preparing.",
        "", "higher", "counter", _CONCLUDED, VALIDATORS, monotone=True,
    ),
    _validation(
        "pvf-pending", "PVFs in preparation", "Parachain validation functions that wait to be compiled, or are.",
        "", "lower", "gauge", f"{_ENQUEUED} - {_CONCLUDED}", VALIDATORS,
    ),
    _validation(
        "pvf-executed", "PVF executions", "Runs of a parachain's validation function that the validator has finished.",
        "", "higher", "counter", gauge("polkadot_pvf_execute_finished"), VALIDATORS, monotone=True,
    ),
    _validation(
        "pvf-precheck-votes", "Pre-checking votes", "Votes of the validator on new validation code.",
        "votes", "neither", "counter", gauge("polkadot_pvf_precheck_votes_total"), VALIDATORS, monotone=True,
    ),
    _validation(
        "candidates-invalid", "Invalid candidates", "Candidates that the validator has found invalid.",
        "", "lower", "counter", lazy("polkadot_parachain_validation_requests_total", 'validity="invalid"'),
        VALIDATORS, monotone=True,
    ),
    _validation(
        "validation-failures", "Failed validations",
        "Validations that the validator could not carry out: too slow, or broken. They say nothing of the candidate.",
        "", "lower", "counter",
        lazy("polkadot_parachain_validation_requests_total", 'validity="validation failure"'),
        VALIDATORS, monotone=True,
    ),
)  # fmt: skip
