/** What tests ask of a page, from inside it. */
window.inPage = {
    /** No animation, no transition, fonts there: colours and places are what they are going to be. */
    async standStill() {
        const style = document.createElement("style");
        style.textContent =
            "*, ::before, ::after { animation: none !important; transition: none !important; }";
        document.head.append(style);
        await document.fonts.ready;
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    },

    unfold() {
        for (const details of document.querySelectorAll("details")) {
            details.open = true;
        }
    },

    async findBarriers(tags, without) {
        this.unfold();
        const there = (selector) => document.querySelector(selector);
        const context = {
            include: [["html"]],
            exclude: without.filter(there).map((selector) => [selector]),
        };
        const found = await window.axe.run(context, {
            runOnly: { type: "tag", values: tags },
            resultTypes: ["violations"],
        });
        const barriers = found.violations.flatMap((violation) =>
            violation.nodes.map(
                (node) =>
                    `${violation.id} at ${node.target.join(" ")}: ${node.failureSummary
                        .replace(/\s+/g, " ")
                        .trim()}\n    ${node.html.slice(0, 200)}`
            )
        );
        return { barriers, passes: found.passes.length };
    },

    /** What makes a part of the page wider than the window, though it can be seen. */
    findOverflow(selector) {
        this.unfold();
        const width = document.documentElement.clientWidth;
        const wide = [...document.querySelectorAll(`:is(${selector}), :is(${selector}) *`)].filter(
            (element) => {
                const box = element.getBoundingClientRect();
                return box.width > 1 && box.height > 1 && (box.right > width + 1 || box.left < -1);
            }
        );
        return wide
            .filter(
                (element) => !wide.some((other) => other !== element && element.contains(other))
            )
            .map((element) => {
                const { left, right } = element.getBoundingClientRect();
                return `${this.describe(element)} reaches from ${Math.round(left)} to ${Math.round(right)} of ${width}`;
            });
    },

    describe(element) {
        const id = element.id ? `#${element.id}` : "";
        const classes = [...element.classList].map((name) => `.${name}`).join("");
        const text = (
            element.innerText ||
            element.value ||
            element.getAttribute("aria-label") ||
            ""
        )
            .replace(/\s+/g, " ")
            .trim()
            .slice(0, 40);
        return `${element.localName}${id}${classes} “${text}”`;
    },

    isVisible(element) {
        const style = getComputedStyle(element);
        return (
            element.getClientRects().length > 0 &&
            style.visibility !== "hidden" &&
            element.checkVisibility()
        );
    },

    /** Everything within a part of the page that a person can act on, as the keyboard should reach it. */
    listInteractive(selector) {
        const found = [
            ...document.querySelectorAll(
                `:is(${selector}) :is(a[href], button, input, select, textarea, summary, [tabindex])`
            ),
        ].filter(
            (element) =>
                !element.disabled &&
                element.type !== "hidden" &&
                element.tabIndex >= 0 &&
                this.isVisible(element)
        );
        // Of radio buttons with one name the keyboard stops at one; arrows lead to the others.
        const names = new Set();
        this.interactive = found.filter((element) => {
            if (element.type !== "radio") {
                return true;
            }
            const group = [...document.getElementsByName(element.name)];
            const stop = group.find((other) => other.checked) || group[0];
            return element === stop && !names.has(element.name) && names.add(element.name);
        });
        this.resting = new Map(this.interactive.map((element) => [element, this.look(element)]));
        this.reached = new Set();
        this.marked = new Set();
        return this.interactive.length;
    },

    /** What can show that an element has the focus. */
    look(element) {
        return [element, element.closest("label"), element.parentElement]
            .filter(Boolean)
            .map((part) => {
                const style = getComputedStyle(part);
                const outline =
                    style.outlineStyle === "none" || style.outlineWidth === "0px"
                        ? ""
                        : `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`;
                return [
                    outline,
                    style.boxShadow,
                    style.borderColor,
                    style.borderWidth,
                    style.backgroundColor,
                ].join("|");
            })
            .join("||");
    },

    /** Note where the focus is; true as long as there is something left to reach. */
    noteFocus() {
        const element = document.activeElement;
        if (this.resting.has(element)) {
            this.reached.add(element);
            const box = element.getBoundingClientRect();
            const middle = box.top + box.height / 2;
            if (
                middle >= 0 &&
                middle <= innerHeight &&
                this.look(element) !== this.resting.get(element)
            ) {
                this.marked.add(element);
            }
        }
        return this.reached.size < this.interactive.length;
    },

    summariseFocus() {
        return [
            ...this.interactive
                .filter((element) => !this.reached.has(element))
                .map((element) => `not reached with Tab: ${this.describe(element)}`),
            ...this.interactive
                .filter((element) => this.reached.has(element) && !this.marked.has(element))
                .map((element) => `does not show the focus: ${this.describe(element)}`),
        ];
    },

    /** Targets smaller than 24 × 24 CSS pixels, links within a sentence left out (WCAG 2.5.8). */
    findSmallTargets(selector) {
        this.unfold();
        return [
            ...document.querySelectorAll(
                `:is(${selector}) :is(a[href], button, input, select, textarea, summary)`
            ),
        ]
            .filter((element) => element.type !== "hidden" && this.isVisible(element))
            .map((element) => [
                element,
                (element.closest("label") || element).getBoundingClientRect(),
            ])
            .filter(
                ([element, box]) =>
                    getComputedStyle(element).display !== "inline" &&
                    box.width > 1 &&
                    (box.width < 23.5 || box.height < 23.5)
            )
            .map(
                ([element, box]) =>
                    `${box.width.toFixed(1)} × ${box.height.toFixed(1)} px is small: ${this.describe(element)}`
            );
    },
};
0;
