"""Signals of every chain: its blocks, its finality, its transactions. Part of `signals.CATALOGUE`."""

from orchestrator.metrics.signal import AUTHORS, PARACHAINS, VALIDATORS, about, gauge, lazy

_BEST = gauge("substrate_block_height", 'status="best"')
_FINAL = gauge("substrate_block_height", 'status="finalized"')

_block = about("blocks")
_finality = about("finality")
_transaction = about("transactions")

BLOCKS = (
    _block(
        "best-height", "Best block", "The height of the best block that the node knows; falls in a reorganisation.",
        "blocks", "higher", "gauge", _BEST, climbs=True,
    ),
    _block(
        "block-time", "Block time",
        "Seconds per block over the window, from the growth of the best height; infinite when no block came.",
        "s", "lower", "gauge", _BEST, derive="seconds-per-growth",
    ),
    _block(
        "authored-blocks", "Blocks authored", "Blocks that this node has built since it started.",
        "blocks", "higher", "histogram", gauge("substrate_proposer_block_constructed_count"),
        AUTHORS, monotone=True,
    ),
    _block(
        "proposals-cut-short", "Proposals cut short", "Blocks that the node had to close because their time was up.",
        "blocks", "lower", "counter", lazy("substrate_proposer_end_proposal_reason", 'reason="hit_deadline"'),
        AUTHORS, monotone=True,
    ),
    _block(
        "leaves", "Leaves", "Heads of the block tree that the node knows: 1 without forks.",
        "", "lower", "gauge", gauge("substrate_number_leaves"),
    ),
    _block(
        "import-failures", "Failed imports",
        "Blocks that the node refused: verification failed, bad, or not executable.",
        "blocks", "lower", "counter",
        lazy("substrate_import_queue_processed_total", 'result=~"verification_failed|bad_block|failed"'),
        monotone=True,
    ),
    _block(
        "major-syncing", "Major sync", "1 while the node is so far behind that it fetches blocks in bulk.",
        "", "lower", "gauge", gauge("substrate_sub_libp2p_is_major_syncing"),
    ),
    _block(
        "queued-blocks", "Queued blocks", "Blocks that the node has received and not yet imported.",
        "blocks", "lower", "gauge", gauge("substrate_sync_queued_blocks"),
    ),
)  # fmt: skip

FINALITY = (
    _finality(
        "finalized-height", "Finalised block", "The height of the block up to which the node's chain is final.",
        "blocks", "higher", "gauge", _FINAL, monotone=True,
    ),
    _finality(
        "finality-lag", "Finality lag", "How many blocks the node's best block is ahead of its finalised one.",
        "blocks", "lower", "gauge", f"{_BEST} - ignoring (status) {_FINAL}",
    ),
    _finality(
        "parachain-height", "Included parachain block",
        "The height of a parachain that the relay chain has included and finalised, as its own nodes see it.",
        "blocks", "higher", "gauge", _FINAL, PARACHAINS, monotone=True,
    ),
    _finality(
        "grandpa-round", "GRANDPA round", "The round that the node votes in; starts again with each authority set.",
        "", "neither", "gauge", gauge("substrate_finality_grandpa_round"), VALIDATORS,
    ),
    _finality(
        "grandpa-prevotes", "GRANDPA prevotes", "Prevotes that the validator has cast since it started.",
        "votes", "higher", "counter", gauge("substrate_finality_grandpa_prevotes_total"), VALIDATORS, monotone=True,
    ),
    _finality(
        "grandpa-precommits", "GRANDPA precommits", "Precommits that the validator has cast since it started.",
        "votes", "higher", "counter", gauge("substrate_finality_grandpa_precommits_total"), VALIDATORS, monotone=True,
    ),
    _finality(
        "beefy-best", "BEEFY block", "The height up to which BEEFY, which bridges follow, has signed the chain.",
        "blocks", "higher", "gauge", gauge("substrate_beefy_best_block"), VALIDATORS, monotone=True,
    ),
    _finality(
        "beefy-lag", "BEEFY lag", "How many blocks BEEFY is behind GRANDPA's finalised block.",
        "blocks", "lower", "gauge", f"{_FINAL} - ignoring (status) {gauge('substrate_beefy_best_block')}", VALIDATORS,
    ),
    _finality(
        "beefy-lagging-sessions", "BEEFY lagging sessions",
        "Sessions that began before BEEFY had signed the mandatory block of the one before.",
        "", "lower", "counter", gauge("substrate_beefy_lagging_sessions"), VALIDATORS, monotone=True,
    ),
    _finality(
        "beefy-equivocations", "BEEFY equivocations", "Double votes in BEEFY that the validator has seen.",
        "votes", "lower", "counter", gauge("substrate_beefy_equivocation_votes"), VALIDATORS, monotone=True,
    ),
)  # fmt: skip

TRANSACTIONS = (
    _transaction(
        "transactions-ready", "Ready transactions", "Transactions that wait in the node's pool for a block.",
        "", "lower", "gauge", gauge("substrate_ready_transactions_number"),
    ),
    _transaction(
        "transactions-submitted", "Submitted transactions", "Transactions that the node's pool has taken in.",
        "", "neither", "counter", gauge("substrate_sub_txpool_submitted_txs_total"), monotone=True,
    ),
    _transaction(
        "transactions-finalized", "Finalised transactions",
        "Transactions from the node's pool that are in a finalised block.",
        "", "higher", "counter", gauge("substrate_sub_txpool_finalized_txs_total"), monotone=True,
    ),
    _transaction(
        "transactions-invalid", "Invalid transactions", "Transactions from the pool that a block author found invalid.",
        "", "lower", "counter", gauge("substrate_sub_txpool_reported_invalid_txs_total"), monotone=True,
    ),
)  # fmt: skip
