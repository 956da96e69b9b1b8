import { browser } from "@web/core/browser/browser";
import { rpcBus } from "@web/core/network/rpc";
import { UPDATE_METHODS } from "@web/core/orm_service";
import { registry } from "@web/core/registry";
import { session } from "@web/session";

import { applyLegend } from "./legend";

/** What the browser remembers of the legend for which it keeps labels of fields. */
const KEPT = "graduate_clearance.legend";

/**
 * Keeps the legend true: after it was changed here, and where the browser has kept labels
 * of fields from before somebody has changed it elsewhere.
 */
export const legendService = {
    dependencies: ["orm"],
    start(env, { orm }) {
        const forgetLabels = () => rpcBus.trigger("CLEAR-CACHES", "get_views");
        const methods = [...UPDATE_METHODS, "action_reset"];
        rpcBus.addEventListener("RPC:RESPONSE", async ({ detail }) => {
            const { model, method } = detail.data.params;
            if (model === "clearance.legend" && methods.includes(method) && !detail.error) {
                forgetLabels();
                applyLegend(await orm.silent.call("clearance.legend", "get_changes", []));
            }
        });
        const current = JSON.stringify(session.clearance_legend || {});
        if ((browser.localStorage.getItem(KEPT) || "{}") !== current) {
            forgetLabels();
            browser.localStorage.setItem(KEPT, current);
        }
    },
};

registry.category("services").add("clearance_legend", legendService);
