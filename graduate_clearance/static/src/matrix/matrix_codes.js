/** What the letters of `clearance.form.get_matrix` stand for: keys of LEGEND. */
export const STATE_BY_CODE = {
    p: "pending",
    s: "submitted",
    r: "rejected",
    a: "approved",
    o: "optional",
    n: "not_required",
    v: "review",
};

/** What the flags of a cell add up to. */
export const READY = 1;
export const LIFTED = 2;
export const MINE = 4;
export const BLOCKED = 8;

/** Graduates that one page may show. */
export const MAX_ROWS = 2000;

/** Statuses that one call decides on; more of them are sent in turns. */
export const CHUNK = 500;

/** How long the last action can be taken back at once, in seconds. */
export const UNDO_SECONDS = 10;
