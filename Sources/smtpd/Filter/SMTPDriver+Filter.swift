// Where content filters meet the dialogue: our own word is said once they have had theirs.

import Connection
import MailModel
import SMTPProtocol

extension SMTPDriver {
    /// Answers the session's question, unless a filter is against it.
    func decide(_ answer: ServerAnswer, _ question: ServerQuestion) {
        guard let filter, filter.begins(question, answer, filterFacts(session.clientFacts)) else { return session.answered(answer) }
        takeFilterOutcome()
    }

    /// Hands on a message, unless a filter is against it, and as the filters leave it.
    func offer(_ message: Acceptance) {
        guard let filter, filter.judges(message, filterFacts(message.facts, message.content)) else { return shared.intake.accept(message) }
        takeFilterOutcome()
    }

    func takeFilterOutcome() {
        switch filter?.takeOutcome() {
        case nil: break
        case .answer(let answer): session.answered(answer)
        case .lastAnswer(let answer):
            session.answered(answer)
            session.shutdownRequested()
        case .accept(let message):
            if session.isClosed { message.content.discard() } else { shared.intake.accept(message) }
        }
    }

    private func filterFacts(_ client: AcceptFacts, _ content: AcceptedContent? = nil) -> FilterFacts {
        var id: QueueID?
        if case .big(let file)? = content { id = file.id }
        return FilterFacts(client: client, tls: tls, mechanism: mechanism, id: id)
    }
}
