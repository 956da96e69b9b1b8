import { _t } from "@web/core/l10n/translation";

/** In which row a step stands, by stage, by station, or in no rows at all. */
export function getLaneOf(lanes) {
    if (lanes === "stage") {
        return ({ stage }) => ({ key: stage, name: stage || _t("Without a stage") });
    }
    if (lanes === "station") {
        return ({ station_id, station }) => ({ key: station_id, name: station });
    }
    return () => ({ key: "", name: "" });
}

/** A card in words: what is on it, for those who hear it. */
export function getCardLabel(step) {
    return [
        step.name,
        step.station,
        step.active ? "" : _t("Retired"),
        step.required ? _t("Required") : _t("Optional"),
        step.decides,
    ]
        .filter(Boolean)
        .join(", ");
}

/** Where an edge comes from, beside its own prerequisite: `{text, hint}` by source. */
export function describeSource(source, step, prerequisite) {
    if (source.kind === "station") {
        return {
            text: _t("from the whole station “%s”", source.station),
            hint: _t(
                "It comes from the whole station “%(station)s”: remove that from what “%(step)s” waits for.",
                { station: source.station, step: step.name }
            ),
        };
    }
    if (source.kind === "entry") {
        return {
            text: _t("opens the form"),
            hint: _t(
                "Every step waits for “%s”, which opens the form. Switch “Opens the form” off on that step.",
                prerequisite.name
            ),
        };
    }
    return { text: _t("directly"), hint: "" };
}

/** Whether an edge can be removed by itself: it has a prerequisite of its own. */
export function isOwnEdge(edge) {
    return edge.sources.some(({ kind }) => kind === "step");
}

/** Whether it is drawn dashed: it comes from elsewhere only. */
export function isIndirect(edge) {
    return edge.sources.length > 0 && !isOwnEdge(edge);
}

/** An edge in words. */
export function getEdgeLabel(edge, byId) {
    return _t("“%(step)s” waits for “%(prerequisite)s”", {
        step: byId.get(edge.to).name,
        prerequisite: byId.get(edge.from).name,
    });
}
