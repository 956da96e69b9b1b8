import { expect, test } from "@odoo/hoot";

import { ScanDetector } from "@graduate_clearance/desk/scan_detector";

/** Feed keys with a gap of so many milliseconds; answers what the last of them ended. */
function feed(keys, gap, detector = new ScanDetector(() => feed.now)) {
    let code = "";
    for (const key of keys) {
        feed.now = (feed.now || 0) + gap;
        code = detector.feed({ key });
    }
    return code;
}

test("quick keys that end with Enter are a code", () => {
    expect(feed([..."T26001", "Enter"], 10)).toBe("T26001");
    expect(feed([..."T26001", "Tab"], 40)).toBe("T26001");
});

test("a person is no scanner", () => {
    expect(feed([..."T26001", "Enter"], 90)).toBe("");
});

test("a few keys hit together are no code", () => {
    expect(feed([..."T26", "Enter"], 5)).toBe("");
});

test("only the burst is the code, not what stood before", () => {
    const detector = new ScanDetector(() => feed.now);
    feed("Wang", 150, detector);
    feed.now += 400;
    expect(feed([..."http://x/my/clearance/5", "Enter"], 8, detector)).toBe(
        "http://x/my/clearance/5"
    );
});

test("Enter after a pause is a person's", () => {
    const detector = new ScanDetector(() => feed.now);
    feed("T26001", 10, detector);
    feed.now += 500;
    expect(feed(["Enter"], 10, detector)).toBe("");
    expect(feed(["Enter"], 10, detector)).toBe("");
});

test("Shift is no part of a code", () => {
    expect(feed(["Shift", "T", "2", "6", "0", "0", "1", "Enter"], 10)).toBe("T26001");
});
