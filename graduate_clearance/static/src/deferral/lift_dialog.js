import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { Dialog } from "@web/core/dialog/dialog";
import { FileInput } from "@web/core/file_input/file_input";
import { deserializeDate, serializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useAutofocus } from "@web/core/utils/hooks";

import { Component, onWillDestroy, useState } from "@odoo/owl";

import { useSubmit } from "./deferral_submit";

/** Asks for what steps, on what proof and until when their restriction is lifted. */
export class LiftDialog extends Component {
    static template = "graduate_clearance.LiftDialog";
    static components = { DateTimeInput, Dialog, FileInput };
    static props = {
        name: String,
        /** the step asked for and the others that could be lifted with it */
        statusId: Number,
        steps: Array,
        reasons: Array,
        /** called with the key and what is asked for; its promise is waited for */
        lift: Function,
        close: Function,
    };

    setup() {
        this.orm = this.env.services.orm; // the service itself: files are removed after closing, too
        this.state = useState({
            chosen: { [this.props.statusId]: true },
            reason: "",
            dateEnd: false,
            isTyped: false, // the date; until then the steps say how long
            files: [],
        });
        this.fillDate();
        this.request = useSubmit(
            (key) => this.props.lift(key, this.values),
            () => this.props.close()
        );
        useAutofocus({ refName: "reason" });
        // Once sent, the files may have arrived with the deferral.
        onWillDestroy(() => !this.request.wasSent && this.deleteFiles(this.state.files));
    }

    get chosen() {
        return this.props.steps.filter(({ status_id }) => this.state.chosen[status_id]);
    }

    /** Presets for every station, and for the stations of the chosen steps. */
    get presets() {
        const stations = this.chosen.map(({ station_id }) => station_id);
        return this.props.reasons.filter(
            ({ station_ids }) => !station_ids || station_ids.some((id) => stations.includes(id))
        );
    }

    get values() {
        return {
            status_ids: this.chosen.map(({ status_id }) => status_id),
            reason: this.state.reason.trim(),
            date_end: this.state.dateEnd ? serializeDate(this.state.dateEnd) : false,
            attachment_ids: this.state.files.map(({ id }) => id),
        };
    }

    /** The chosen step that says how long a deferral lasts; the shortest time of several. */
    get ruling() {
        const [first] = this.chosen
            .filter(({ date_end: end }) => end)
            .sort((one, other) => (one.date_end < other.date_end ? -1 : 1));
        return first;
    }

    /** Why the date is what it is, where nobody has typed it. */
    get rule() {
        const step = !this.state.isTyped && this.ruling;
        return (
            step &&
            _t("Filled in: “%(step)s” is deferred for %(months)s months as a rule.", {
                step: step.step,
                months: step.months,
            })
        );
    }

    fillDate() {
        if (!this.state.isTyped) {
            this.state.dateEnd = this.ruling ? deserializeDate(this.ruling.date_end) : false;
        }
    }

    onDate(date) {
        this.state.dateEnd = date;
        this.state.isTyped = true;
    }

    toggle(step) {
        this.state.chosen[step.status_id] = !this.state.chosen[step.status_id];
        this.fillDate();
    }

    onUpload(uploaded) {
        for (const file of uploaded) {
            if (file.error) {
                this.request.fail(file.error);
            } else {
                this.state.files.push({ id: file.id, name: file.filename });
            }
        }
    }

    getRemoveLabel(file) {
        return _t("Remove %s", file.name);
    }

    async removeFile(file) {
        this.state.files = this.state.files.filter(({ id }) => id !== file.id);
        await this.deleteFiles([file]);
    }

    deleteFiles(files) {
        return (
            files.length &&
            this.orm.unlink(
                "ir.attachment",
                files.map(({ id }) => id)
            )
        );
    }

    onKeydown(ev) {
        if (ev.key === "Enter" && (ev.ctrlKey || ev.metaKey)) {
            ev.preventDefault();
            this.confirm();
        }
    }

    async confirm() {
        if (!this.chosen.length) {
            this.request.fail(_t("Choose at least one step."));
        } else if (!this.state.reason.trim()) {
            this.request.fail(_t("A reason is required: which proof was shown?"));
        } else {
            await this.request.submit();
        }
    }
}
