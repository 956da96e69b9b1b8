import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { Interaction } from "@web/public/interaction";

/**
 * What a step asks for. Without this the form works too: the server checks everything.
 * With it, files that are too large are told before they travel, a second press of the
 * button does nothing, and whoever cannot see the page is brought to what is wrong.
 */
export class SubmissionForm extends Interaction {
    static selector = "form.o_clearance_ask_form";
    dynamicContent = {
        _root: {
            "t-on-submit": this.onSubmit,
        },
        "input[type=file]": {
            "t-on-change": this.onFilesChosen,
        },
    };

    setup() {
        this.isSending = false;
    }

    start() {
        this.el.closest(".o_clearance_ask").querySelector(".o_clearance_problems")?.focus();
        // Going back in the browser shows the form again, with its buttons.
        this.addListener(window, "pageshow", () => {
            this.isSending = false;
        });
    }

    /** @param {SubmitEvent} event */
    onSubmit(event) {
        if (this.isSending || !this.hasGoodFiles()) {
            event.preventDefault();
            return;
        }
        this.isSending = true;
    }

    /** @param {Event} event */
    onFilesChosen(event) {
        this.showProblem(event.currentTarget, this.findProblem(event.currentTarget));
    }

    /** Files that cannot be taken stop the form; the first of them is brought into view. */
    hasGoodFiles() {
        const inputs = [...this.el.querySelectorAll("input[type=file]")];
        const wrong = inputs.find((input) => this.findProblem(input));
        wrong?.focus();
        return !wrong;
    }

    /**
     * @param {HTMLInputElement} input
     * @returns {string} what is wrong with the files chosen, empty when nothing is
     */
    findProblem(input) {
        const most = Number(input.dataset.most);
        const kept = most > 1 ? Number(input.dataset.kept || 0) : 0;
        const large = [...input.files].find((file) => file.size > Number(input.dataset.mostBytes));
        if (large) {
            return _t("“%(file)s” is too large. Allowed: %(limits)s.", {
                file: large.name,
                limits: input.dataset.limits,
            });
        }
        if (input.files.length + kept > most) {
            return _t("These are too many files. Allowed: %(limits)s.", {
                limits: input.dataset.limits,
            });
        }
        return "";
    }

    /**
     * @param {HTMLInputElement} input
     * @param {string} text
     */
    showProblem(input, text) {
        const id = `${input.id}_chosen`;
        let place = this.el.querySelector(`#${id}`);
        if (!place) {
            place = document.createElement("p");
            place.id = id;
            place.className = "o_clearance_chosen mb-0";
            place.setAttribute("role", "alert");
            this.insert(place, input, "afterend");
            const described = input.getAttribute("aria-describedby");
            input.setAttribute("aria-describedby", [described, id].filter(Boolean).join(" "));
        }
        place.textContent = text;
        if (text) {
            input.setAttribute("aria-invalid", "true");
        } else {
            input.removeAttribute("aria-invalid");
        }
    }
}

registry.category("public.interactions").add("graduate_clearance.submission_form", SubmissionForm);
