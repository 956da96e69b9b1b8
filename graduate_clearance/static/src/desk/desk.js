import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useBus, useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { session } from "@web/session";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillDestroy, onWillStart, useExternalListener, useState } from "@odoo/owl";

import { ClearanceRecord } from "../record_field/clearance_record";
import { DeskGraduate } from "./desk_graduate";
import { DeskModel } from "./desk_model";
import { ScanList, ScanResult } from "./desk_scan";
import { DeskSearch } from "./desk_search";
import { ShortcutsDialog } from "./desk_shortcuts";
import { DeskSounds } from "./desk_sounds";
import { DeskStatistics } from "./desk_statistics";
import { DeskTop } from "./desk_top";
import { UndoBar } from "./desk_undo_bar";

/** Milliseconds: a “/” that follows another key so closely is part of a scanned address. */
const SCAN_GAP = 150;

/**
 * The operator's desk, in three panes: find, decide, see the whole record.
 *
 * The component binds the model to the page: keys, scanner, bus and dialogs.
 */
export class Desk extends Component {
    static template = "graduate_clearance.Desk";
    static components = {
        ClearanceRecord,
        DeskGraduate,
        DeskSearch,
        DeskStatistics,
        DeskTop,
        ScanList,
        ScanResult,
        UndoBar,
    };
    static props = { ...standardActionServiceProps };

    setup() {
        this.dialog = useService("dialog");
        this.model = useState(this.makeModel());
        this.view = useState({ isListOpen: true });
        this.lastKey = -Infinity;
        this.bindServer();
        useExternalListener(document, "keydown", (ev) => this.onKeydown(ev), { capture: true });
        useSetupAction({ getLocalState: () => this.model.getState() });
        onWillStart(() => this.model.start(this.getRestored()));
        onWillDestroy(() => this.model.destroy());
    }

    makeModel() {
        return DeskModel.make({
            // The services themselves: what is under way ends also when the desk is left.
            orm: this.env.services.orm,
            outbox: this.env.services.clearance_outbox,
            notification: this.env.services.notification,
            sounds: new DeskSounds(),
            storageKey: `graduate_clearance.desk.${session.db}.${user.userId}`,
        });
    }

    bindServer() {
        const { model } = this;
        const bus = useService("bus_service");
        const barcode = useService("barcode");
        const outbox = model.outbox.bus;
        const onChanged = (payload) => model.onChanged(payload);
        bus.subscribe("clearance.changed", onChanged);
        bus.start();
        onWillDestroy(() => bus.unsubscribe("clearance.changed", onChanged));
        useBus(bus, "BUS:RECONNECT", () => model.scheduleRefresh());
        useBus(barcode.bus, "barcode_scanned", ({ detail }) => model.onCode(detail.barcode));
        useBus(outbox, "answered", ({ detail }) => (detail.handled = model.onAnswered(detail)));
        useBus(outbox, "refused", ({ detail }) => (detail.handled = model.onRefused(detail)));
    }

    /** Where the user came back to, or which graduate another screen has asked for. */
    getRestored() {
        const { clearance_form_id: formId, clearance_station_id: stationId } =
            this.props.action.context || {};
        return this.props.state || (formId ? { formId, stationId } : undefined);
    }

    get emptyHelp() {
        return this.model.isFast
            ? _t("Scan a student number or the code of a portal page: it is confirmed at once.")
            : _t("Search, scan, or press ↓ and Enter.");
    }

    /** On narrow screens the list makes room for the graduate. */
    onOpened() {
        this.view.isListOpen = false;
    }

    onKeydown(ev) {
        const isPause = ev.timeStamp - this.lastKey > SCAN_GAP;
        this.lastKey = ev.timeStamp;
        const isEditable = ev.target.closest?.("input, textarea, select, [contenteditable=true]");
        if (ev.key === "/" && isPause && !isEditable && !this.model.dialogs && !ev.isComposing) {
            ev.preventDefault();
            this.view.isListOpen = true;
            this.model.focusOn("search");
        }
    }

    /** Open a dialog; meanwhile nothing moves under it. */
    openDialog(component, props) {
        this.model.dialogs++;
        this.dialog.add(component, props, { onClose: () => this.model.dialogs-- });
    }

    openShortcuts() {
        this.openDialog(ShortcutsDialog, {});
    }
}

registry.category("actions").add("graduate_clearance.desk", Desk);
