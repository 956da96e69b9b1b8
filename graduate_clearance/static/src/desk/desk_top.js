import { isBarcodeScannerSupported } from "@web/core/barcode/barcode_video_scanner";
import { scanBarcode } from "@web/core/barcode/barcode_dialog";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { Component, useState } from "@odoo/owl";

import { formatPercent, formatTime } from "./desk_words";
import { Unsaved } from "./desk_unsaved";

/** The top line: where one sits, how far the station is, and how one scans. */
export class DeskTop extends Component {
    static template = "graduate_clearance.DeskTop";
    static components = { Dropdown, DropdownItem, Unsaved };
    static props = { model: Object, view: Object, openShortcuts: Function };

    setup() {
        this.model = useState(this.props.model);
        this.view = useState(this.props.view);
        this.notification = useService("notification");
        this.hasCamera = isBarcodeScannerSupported();
    }

    get sessionName() {
        return this.model.session ? this.model.session.name : _t("All sessions");
    }

    /** As on every page of Hunan UST's desk: due, not done and its share, as of when. */
    get headline() {
        const { statistics } = this.model;
        if (!statistics) {
            return "";
        }
        const { due, open } = statistics.station;
        return _t("due %(due)s, not done %(open)s (%(percent)s), as of %(time)s", {
            due,
            open,
            percent: formatPercent(due ? (100 * open) / due : 0),
            time: formatTime(statistics.as_of),
        });
    }

    toggleList() {
        this.view.isListOpen = !this.view.isListOpen;
    }

    async openCamera() {
        let code;
        try {
            code = await scanBarcode(this.env);
        } catch (error) {
            this.notification.add(error.message, { type: "warning" });
            return;
        }
        await this.model.onCode(code);
    }
}
