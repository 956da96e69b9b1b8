import { Dialog } from "@web/core/dialog/dialog";
import { useAutofocus } from "@web/core/utils/hooks";

import { Component, useState } from "@odoo/owl";

import { useSubmit } from "./deferral_submit";

/** Asks whether a step shall restrict again, and why if one wants to say so. */
export class RestoreDialog extends Component {
    static template = "graduate_clearance.RestoreDialog";
    static components = { Dialog };
    static props = {
        name: String,
        step: Object,
        /** called with the key and the reason; its promise is waited for */
        restore: Function,
        close: Function,
    };

    setup() {
        this.state = useState({ reason: "" });
        this.request = useSubmit(
            (key) => this.props.restore(key, this.state.reason.trim()),
            () => this.props.close()
        );
        useAutofocus({ refName: "reason" });
    }

    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            this.request.submit();
        }
    }
}
