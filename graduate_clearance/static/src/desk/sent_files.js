import { FileModel } from "@web/core/file_viewer/file_model";
import { useFileViewer } from "@web/core/file_viewer/file_viewer_hook";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { humanNumber } from "@web/core/utils/numbers";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

const ICONS = [
    [/^image\//, "fa-file-image-o"],
    [/pdf$/, "fa-file-pdf-o"],
    [/word|opendocument\.text/, "fa-file-word-o"],
    [/excel|spreadsheet/, "fa-file-excel-o"],
    [/^text\//, "fa-file-text-o"],
];

/** Icon of a type of file. */
export function getFileIcon(mimetype) {
    const found = ICONS.find(([pattern]) => pattern.test(mimetype || ""));
    return found ? found[1] : "fa-file-o";
}

/**
 * Files as links: pictures and PDF open in Odoo's viewer, whatever else is downloaded.
 *
 * With the control key, or without JavaScript, a link opens a tab of its own.
 */
export class SentFiles extends Component {
    static template = "graduate_clearance.SentFiles";
    static props = {
        files: { type: Array, element: { type: Object } }, // id, name, mimetype, size
    };

    setup() {
        this.viewer = useFileViewer();
    }

    get files() {
        return this.props.files.map((values) => {
            const file = Object.assign(new FileModel(), values);
            // Nothing that a graduate has sent is run here: texts and pages are downloaded.
            const isShown = file.isImage || file.isPdf;
            return {
                id: file.id,
                name: file.name,
                file,
                isShown,
                url: isShown ? file.urlRoute : file.downloadUrl,
                icon: getFileIcon(file.mimetype),
                size: values.size_text || (values.size ? `${humanNumber(values.size)}B` : ""),
            };
        });
    }

    onClick(ev, { id, isShown }) {
        if (!isShown || ev.ctrlKey || ev.metaKey || ev.shiftKey) {
            return;
        }
        ev.preventDefault();
        const shown = this.files.filter((item) => item.isShown).map(({ file }) => file);
        this.viewer.open(
            shown.find((file) => file.id === id),
            shown
        );
    }
}

/** The files of a sending, in a form view. */
export class SentFilesField extends Component {
    static template = "graduate_clearance.SentFilesField";
    static components = { SentFiles };
    static props = { ...standardFieldProps };

    get files() {
        return this.props.record.data[this.props.name].records.map(({ data }) => ({
            id: data.attachment_id?.id,
            name: data.name,
            mimetype: data.mimetype,
            size: data.file_size,
        }));
    }
}

export const sentFilesField = {
    component: SentFilesField,
    displayName: _t("Files sent"),
    supportedTypes: ["one2many"],
    isEmpty: () => false,
    relatedFields: [
        { name: "attachment_id", type: "many2one", relation: "ir.attachment" },
        { name: "name", type: "char" },
        { name: "mimetype", type: "char" },
        { name: "file_size", type: "integer" },
    ],
};

registry.category("fields").add("clearance_sent_files", sentFilesField);
