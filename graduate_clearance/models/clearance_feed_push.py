"""Pushing: a source system sends its reports itself, over Odoo's JSON-2 API."""

import hashlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tools import format_list

from odoo.addons.base.models.res_users import check_identity

from ..feed_rows import show

#: how long the key of a source system is good for
_KEY_DAYS = 365
#: rows of an answer that are kept for who asks again: a library knows many more people than graduates
_REMEMBERED = 2_000


class ClearanceFeed(models.Model):
    _inherit = "clearance.feed"

    push_user_id = fields.Many2one(
        "res.users",
        "Sends as",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        groups="graduate_clearance.group_manager",
        domain=lambda self: [("all_group_ids", "in", self.env.ref("graduate_clearance.group_feed").ids)],
        help="The user whose API key the source system sends with. It may send the reports of the systems that "
        "name it, and do nothing else. Several systems of one vendor may share it.",
    )
    push_key_until = fields.Datetime(
        "Key good until", compute="_compute_push_key_until", groups="graduate_clearance.group_manager"
    )

    @api.depends("push_user_id")
    def _compute_push_key_until(self):
        # sudo: only until when a key is good; the keys themselves stand nowhere in clear.
        keys = dict(
            self.env["res.users.apikeys"]
            .sudo()
            ._read_group([("user_id", "in", self.push_user_id.ids)], ["user_id"], ["expiration_date:max"])
        )
        for feed in self:
            feed.push_key_until = keys.get(feed.push_user_id, False)

    @api.constrains("push_user_id", "company_id")
    def _check_push_user(self):
        for feed in self:
            # sudo: managers read no users; what this one may do is checked for them.
            user = feed.push_user_id.sudo()
            if user and (not user._is_clearance_feed() or feed.company_id not in user.company_ids):
                raise ValidationError(
                    self.env._(
                        "“%(user)s” cannot send for “%(feed)s”: it is no user of a source system of this campus.",
                        user=user.name,
                        feed=feed.name,
                    )
                )

    def unlink(self):
        """Put away the users that sent for these systems and for no others, with their keys."""
        users = self.sudo().push_user_id  # sudo: whoever may delete a system ends what was made for it
        res = super().unlink()
        left = (
            users - self.sudo().with_context(active_test=False).search([("push_user_id", "in", users.ids)]).push_user_id
        )
        # sudo: as above.
        self.env["res.users.apikeys"].sudo().search([("user_id", "in", left.ids)])._remove()
        left.action_archive()
        return res

    # -- the API -------------------------------------------------------------------

    @api.model
    def push(self, rows, feed=None, key=None, as_of=None, complete=False, verbose=False):
        """Take in what a source system reports; the one method that its API key opens.

        Over HTTP: ``POST /json/2/clearance.feed/push`` with the arguments as a JSON object
        and the key as ``Authorization: bearer …``.  Callable by users of source systems only, for
        the systems that name them.

        :param list rows: objects ``student_number``, ``quantity`` and/or ``amount`` (0: nothing is
            owed), ``as_of`` (ISO 8601 with a zone), ``note``, ``step``; see :meth:`_take_in`
        :param int feed: the id of the source system; only needed by who sends for several
        :param str key: what the report is called, at most 64 characters: sent again under the same
            key within 7 days it counts once, and gets the answer of the first time (of its rows
            the first 2,000)
        :param str as_of: the moment (ISO 8601 with a zone) that rows without their own are from;
            now where missing
        :param bool complete: whoever is not named owes nothing
        :param bool verbose: answer rows that went as they said too
        :return: dict, see :meth:`_take_in`
        :raise AccessError: for everybody else, and for somebody else's system
        :raise UserError: when the report as a whole cannot be taken, or another one had this key
        """
        source = self._get_pushing_feed(feed)
        if key and not (isinstance(key, str) and key.isprintable()):
            raise UserError(self.env._("The key of a report is a plain text."))
        digest = self._digest(source.id, rows, as_of, complete)

        taken = []

        def take_in():
            answer = source._take_in(rows, "push", key, as_of, complete, verbose)
            taken.append(answer)
            return {"digest": digest, "answer": {**answer, "rows": answer["rows"][:_REMEMBERED]}}

        given = self.env["clearance.request"]._once(key, take_in)
        if given["digest"] != digest:
            raise UserError(self.env._("Another report has been sent under the key “%s” before.", show(key)))
        return taken[0] if taken else given["answer"]

    @api.model
    def _get_pushing_feed(self, feed):
        """The source system that the user sends for.

        The rest of the context is dropped: a remote caller chooses it.
        """
        if not self.env.user._is_clearance_feed():
            raise AccessError(self.env._("Only the user of a source system may send its reports."))
        # sudo: the systems that name this user, which has no right to read anything.
        feeds = self.sudo().search([("push_user_id", "=", self.env.uid), ("active", "=", True)])
        if feed is not None:
            if isinstance(feed, bool) or not isinstance(feed, int):
                raise UserError(self.env._("feed is the number of a source system, not “%s”.", show(feed)))
            feeds = feeds.filtered(lambda found: found.id == feed)
        if not feeds:
            raise AccessError(self.env._("This user sends for no such source system."))
        if len(feeds) > 1:
            names = format_list(self.env, [f"{found.id}: {found.name}" for found in feeds], style="or")
            raise UserError(self.env._("This user sends for several source systems: name one as feed (%s).", names))
        return feeds.with_env(self.env(context={"lang": self.env.lang or self.env.user.lang}))

    @api.model
    def _digest(self, *parts):
        """A short text that is another one for another report."""
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()

    # -- users and keys ------------------------------------------------------------

    @check_identity
    def action_make_key(self):
        """Make the user that this system sends as, where there is none yet, and its API key.

        The key is shown once and stands nowhere; one that it had before is good no longer.
        For managers, who are asked for their password, as Odoo does with everybody's keys.
        """
        key = self._make_key()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.users.apikeys.show",
            "name": self.env._("API Key of %s", self.name),
            "views": [(self.env.ref("graduate_clearance.clearance_feed_key_view_form").id, "form")],
            "target": "new",
            "context": {"default_key": key},
        }

    def action_revoke_key(self):
        """Make the API key worthless: nothing more is taken from this system's user."""
        self._check_manager()
        for feed in self:
            feed._drop_keys()
            feed.message_post(body=self.env._("The API key was withdrawn."))

    def _make_key(self):
        """A new API key of this system's user, in clear."""
        self.ensure_one()
        self._check_manager()
        if not self.push_user_id:
            self.push_user_id = self._make_push_user()
        self._drop_keys()
        # sudo: a user that may do nothing but send cannot make its own key; who makes it was asked above.
        user = self.push_user_id.sudo()
        key = (
            self.env["res.users.apikeys"]
            .with_user(user)
            .sudo()
            ._generate("rpc", self.display_name, fields.Datetime.now() + timedelta(days=_KEY_DAYS))
        )
        self.invalidate_recordset(["push_key_until"])
        self.message_post(body=self.env._("A new API key was made."))
        return key

    def _check_manager(self):
        self.check_access("write")
        if not self.env.user.has_group("graduate_clearance.group_manager"):
            raise AccessError(self.env._("Only managers give keys to source systems."))

    def _make_push_user(self):
        """A user that may send the reports of this system, cannot log in, and has no password.

        It is made by managers, who otherwise make no users: this one opens nothing to them.
        """
        campus = self.company_id
        # sudo: see above; its group and campus are fixed here.
        Users = self.env["res.users"].sudo().with_context(no_reset_password=True, mail_create_nosubscribe=True)
        return Users.create(
            {
                "name": self.name,
                "login": f"clearance-feed-{self.id}",
                "lang": campus.partner_id.lang or self.env.user.lang,
                "tz": campus.partner_id.tz or self.env.user.tz,
                "company_id": campus.id,
                "company_ids": [Command.set(campus.ids)],
                "group_ids": [Command.set(self.env.ref("graduate_clearance.group_feed").ids)],
            }
        ).sudo(False)

    def _drop_keys(self):
        # sudo: keys of the user that this system sends as; who asks was checked before.
        self.env["res.users.apikeys"].sudo().search([("user_id", "in", self.push_user_id.ids)])._remove()
        self.invalidate_recordset(["push_key_until"])
