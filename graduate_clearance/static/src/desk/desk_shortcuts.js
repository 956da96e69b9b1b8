import { isMacOS } from "@web/core/browser/feature_detection";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";

import { Component } from "@odoo/owl";

/** Every key of the desk; the letters are the `data-hotkey` of the buttons. */
export class ShortcutsDialog extends Component {
    static template = "graduate_clearance.ShortcutsDialog";
    static components = { Dialog };
    static props = { close: Function };

    get shortcuts() {
        const alt = isMacOS() ? "Control" : "Alt";
        const overlay = (key) => [alt, key];
        return [
            { keys: ["/"], text: _t("To the search box") },
            { keys: ["↓", "↑"], text: _t("Through the list") },
            { keys: ["PgDn", "PgUp"], text: _t("Next and previous page of the list") },
            { keys: ["Enter"], text: _t("Open the graduate; once more: confirm") },
            { keys: overlay("C"), text: _t("Confirm the ticked steps") },
            { keys: overlay("R"), text: _t("Reject") },
            { keys: overlay("O"), text: _t("Reopen") },
            { keys: overlay("X"), text: _t("Not required") },
            { keys: overlay("U"), text: _t("Undo the last action") },
            { keys: overlay("N"), text: _t("Next graduate") },
            { keys: overlay("S"), text: _t("Fast mode: a scan confirms at once") },
            { keys: overlay("M"), text: _t("Scan with the camera") },
            { keys: overlay("W"), text: _t("Switch the station") },
            { keys: overlay("T"), text: _t("Show or hide the statistics") },
            { keys: overlay("K"), text: _t("This list") },
            { keys: [alt], text: _t("Hold it: the letters show on the buttons") },
        ];
    }
}
