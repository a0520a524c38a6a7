// The walk through the records: the next term, what it asks, and what its match means.

internal import MailModel

extension SPFEvaluation {
    /// Goes on until something must be asked or the check is over.
    mutating func run() {
        while case .nothing = waiting, outcome == nil, let frame = frames.last {
            if frame.next < frame.record.directives.count {
                frames[frames.count - 1].next += 1
                evaluate(frame.record.directives[frame.next], of: frame)
            } else if let target = frame.record.redirect {
                redirect(target, of: frame)
            } else {
                conclude(.neutral, nil)
            }
        }
    }

    private mutating func evaluate(_ directive: SPFDirective, of frame: Frame) {
        if directive.mechanism.asksDNS {
            guard terms < limits.terms else { return tooManyTerms(directive.text) }
            if directive.mechanism.needsNames, names.question != nil {
                frames[frames.count - 1].next -= 1
                return askNames()
            }
            terms += 1
        }
        switch directive.mechanism {
        case .all: conclude(directive.result, directive)
        case .network(let network): if network.contains(subject.client) { conclude(directive.result, directive) }
        case .include(let domain):
            guard let target = domain.name(values(frame)) else { return finish(.permerror, problem: "no such policy", directive.text) }
            ask(DNSQuestion(.txt, target), .record(.include, target))
        case .address(let domain, let prefixes):
            guard let target = target(domain, frame) else { return }
            ask(.addresses(of: target, subject.client.family), .addresses(directive, prefixes))
        case .exchangers(let domain, let prefixes):
            guard let target = target(domain, frame) else { return }
            ask(DNSQuestion(.mx, target), .exchangers(directive, prefixes))
        case .exists(let domain):
            // RFC 7208 §5.7: A, whatever the client's family.
            guard let target = domain.name(values(frame)) else { return }
            ask(DNSQuestion(.a, target), .exists(directive))
        case .pointer(let domain): matchNames(directive, target(domain, frame))
        }
    }

    /// RFC 7208 §5.5.
    private mutating func matchNames(_ directive: SPFDirective, _ target: DNSName?) {
        if names.isVoid, countVoid() { return }
        guard let target, names.names.contains(where: { $0.isWithin(target) }) else { return }
        conclude(directive.result, directive)
    }

    /// RFC 7208 §6.1: the target's record takes the place of this one, its explanation too.
    ///
    /// Beside an `all`, which matches always, nothing comes here.
    private mutating func redirect(_ domain: SPFMacro, of frame: Frame) {
        guard terms < limits.terms else { return tooManyTerms(Array("redirect".utf8)) }
        if domain.needsName, names.question != nil { return askNames() }
        terms += 1
        guard let target = domain.name(values(frame)) else { return finish(.permerror, problem: "no such policy", Array("redirect".utf8)) }
        ask(DNSQuestion(.txt, target), .record(.redirect, target))
    }

    /// The record on top has come to a result; an `include` that asked for it matches on pass alone (RFC 7208 §5.2).
    mutating func conclude(_ result: SPFResult, _ directive: SPFDirective?) {
        var result = result
        var directive = directive
        while frames.count > 1 {
            frames.removeLast()
            guard result == .pass, let waiting = frames.last, waiting.next > 0 else { return }
            let include = waiting.record.directives[waiting.next - 1]
            (result, directive) = (include.result, include)
        }
        if result == .fail, let directive { return fail(directive) }
        finish(result, directive)
    }

    /// True if the check is over because of it (RFC 7208 §4.6.4).
    mutating func countVoid() -> Bool {
        voidLookups += 1
        guard voidLookups > limits.voidLookups else { return false }
        finish(.permerror, problem: "more than \(limits.voidLookups) lookups without a record")
        return true
    }

    private mutating func tooManyTerms(_ term: [UInt8]) {
        finish(.permerror, problem: "more than \(limits.terms) terms that ask DNS", term)
    }

    mutating func askNames() {
        guard let question = names.question else { return }
        ask(question, .names)
    }

    /// Nil if what a macro makes is no name, and so matches nothing.
    private func target(_ domain: SPFMacro?, _ frame: Frame) -> DNSName? {
        guard let domain else { return frame.domain }
        return domain.name(values(frame))
    }

    func values(_ frame: Frame) -> SPFMacroValues {
        SPFMacroValues(
            localPart: subject.localPart, senderDomain: subject.domain, domain: frame.domain.bytes, client: subject.client,
            hello: subject.hello, validatedName: names.name(near: frame.domain), receiver: subject.receiver.bytes, time: subject.time)
    }
}
