// Why a client failed, in the words of the domain's owner (RFC 7208 §6.2). No fault in it changes the result.

internal import MailModel

extension SPFEvaluation {
    mutating func fail(_ directive: SPFDirective) {
        failure = directive
        explain(directive)
    }

    /// Asks what is missing for the explanation, or finishes without one.
    mutating func explain(_ directive: SPFDirective) {
        guard let frame = frames.last, let domain = frame.record.explanation else { return finish(.fail, directive) }
        if let explanation { return finish(explanation, directive, frame) }
        if domain.needsName, names.question != nil { return askNames() }
        guard let target = domain.name(values(frame)) else { return finish(.fail, directive) }
        ask(DNSQuestion(.txt, target), .explanation)
    }

    mutating func explanationAnswered(_ finding: DNSFinding) {
        guard let directive = failure, let frame = frames.last else { return }
        let texts = finding.texts
        guard texts.count == 1, texts[0].count <= limits.record, let macro = try? SPFMacro(explanation: texts[0][...])
        else { return finish(.fail, directive) }
        if macro.needsName, names.question != nil {
            explanation = macro
            return askNames()
        }
        finish(macro, directive, frame)
    }

    private mutating func finish(_ macro: SPFMacro, _ directive: SPFDirective, _ frame: Frame) {
        finish(.fail, directive, explanation: macro.text(values(frame), limit: limits.explanation))
    }
}
