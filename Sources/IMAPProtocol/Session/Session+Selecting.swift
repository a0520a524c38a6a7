// SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 §6.3.1, §6.3.2, §6.4.2; RFC 3691).

extension Session {
    /// An earlier selection ends here, whether the new one succeeds or not (RFC 3501 §6.3.1).
    mutating func select(_ tag: Tag, _ name: MailboxName, readOnly: Bool) {
        if selected != nil { output.raw("* OK [CLOSED] Previous mailbox closed\r\n") }
        forgetSelection()
        running = .select(tag, name, readOnly: readOnly)
        ask(.select(name, readOnly: readOnly))
    }

    private mutating func forgetSelection() {
        selected = nil
        needsRefresh = false
    }

    mutating func takeSelection(_ answer: Answer, _ tag: Tag, _ name: MailboxName, readOnly: Bool) {
        guard case .selected(let selection) = answer else { return refuse(tag, answer) }
        let mailbox = SelectedMailbox(name, readOnly: readOnly, selection)
        mailbox.printSelection(selection, to: &output)
        selected = mailbox
        running = nil
        reply(tag, readOnly ? "OK [READ-ONLY] EXAMINE completed" : "OK [READ-WRITE] SELECT completed")
    }

    mutating func closeMailbox(_ tag: Tag) {
        guard selected?.isReadOnly == false else { return unselect(tag, done: "OK CLOSE completed") }
        running = .close(tag, isExpunging: true)
        ask(.expunge(among: nil))
    }

    mutating func takeClose(_ answer: Answer, _ tag: Tag, isExpunging: Bool) {
        guard isExpunging else {
            running = nil
            return reply(tag, "OK CLOSE completed")
        }
        guard case .expunged = answer else { return refuse(tag, answer) }
        forgetSelection()
        running = .close(tag, isExpunging: false)
        ask(.unselect)
    }

    mutating func unselect(_ tag: Tag, done: StaticString) {
        forgetSelection()
        running = .simple(tag, done: done)
        ask(.unselect)
    }
}
