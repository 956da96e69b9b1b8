/** Scanners type faster than people: milliseconds between two keys, at most. */
const MAX_GAP = 50;
/** Shorter bursts are keys that a person hit together. */
const MIN_LENGTH = 5;

/**
 * Tells a scanner from a person in a text box.
 *
 * Odoo's barcode service leaves text boxes alone.  What a scanner types there may stand
 * behind what stood there before: only the burst is the code.
 */
export class ScanDetector {
    constructor(now = () => Date.now()) {
        this.now = now;
        this.burst = "";
        this.last = -Infinity;
    }

    /**
     * @param {KeyboardEvent} ev a keydown
     * @returns {string} the code, when this key ends one
     */
    feed(ev) {
        const now = this.now();
        const isFast = now - this.last <= MAX_GAP;
        if (ev.key === "Enter" || ev.key === "Tab") {
            const code = isFast && this.burst.length >= MIN_LENGTH ? this.burst : "";
            this.burst = "";
            return code;
        }
        if ([...ev.key].length > 1) {
            // Shift and its like belong to the next key.
            return "";
        }
        this.burst = isFast ? this.burst + ev.key : ev.key;
        this.last = now;
        return "";
    }
}
