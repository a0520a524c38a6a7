// What an administrator decides about mail from other hosts, and the same as the policy's machine takes it.

internal import MailModel
package import MailPolicy

extension Configuration {
    package struct Policy: Hashable, Sendable {
        package var trusted: [IPNetwork] = []
        package var exemptRecipients: [String] = []
        package var patience = Duration.zero
        package var reverseDNS = false
        package var reverseMissing = PolicyFinding.note
        package var reverseUnconfirmed = PolicyFinding.note
        package var helloMalformed = PolicyFinding.note
        package var helloForged = PolicyFinding.note
        package var helloUnresolvable: PolicyFinding?
        package var senderDomain: PolicyFinding?
        package var spf = false
        package var spfFail = PolicyFinding.note
        package var spfHelloFail = PolicyFinding.note
        package var spfSoftfail = PolicyFinding.note
        package var spfPermerror = PolicyFinding.note
        package var spfTemperror = PolicyFinding.note
        package var lists: [PolicyList] = []
        package var listRefuse = 0
        package var listAllow = 0
        package var greylist = GreylistScope.off
        package var greylistDelay = Duration.zero
        package var greylistWindow = Duration.zero
        package var greylistRetention = Duration.zero
        package var address = Rates()
        package var network = Rates()

        package struct Rates: Hashable, Sendable {
            package var connections: PolicyRate?
            package var messages: PolicyRate?
            package var recipients: PolicyRate?
            package var unknown: PolicyRate?
            package var concurrent: Int?

            package var limits: RateLimits {
                RateLimits(
                    connections: connections?.rate, messages: messages?.rate, recipients: recipients?.rate, unknownRecipients: unknown?.rate,
                    concurrent: concurrent)
            }
        }
    }
}

extension Configuration {
    /// For smtpd and `mailctl explain`, which so decide by the same values.
    package var policyConfiguration: PolicyConfiguration {
        var result = PolicyConfiguration(hostName: hostname)
        result.trusted = policy.trusted
        result.exemptRecipients = Set(policy.exemptRecipients.map { $0.utf8.asciiLowercased })
        result.reverseDNS.isAsked = policy.reverseDNS
        result.reverseDNS.missing = policy.reverseMissing.action
        result.reverseDNS.unconfirmed = policy.reverseUnconfirmed.action
        result.hello.malformed = policy.helloMalformed.action
        result.hello.forged = policy.helloForged.action
        result.hello.unresolvable = policy.helloUnresolvable?.action
        result.senderDomain.unreachable = policy.senderDomain?.action
        result.lists = policy.dnsLists
        result.listThresholds = ListThresholds(refuse: policy.listRefuse, allow: policy.listAllow)
        result.spf = policy.spfRules
        result.greylist = policy.greylistRules
        result.greylistsSuspectsOnly = policy.greylist == .suspects
        return result
    }
}

extension Configuration.Policy {
    /// One list for all lines that name its zone.
    fileprivate var dnsLists: [DNSList] {
        var found: [DNSList] = []
        for line in lists {
            if let index = found.firstIndex(where: { $0.zone == line.zone && $0.kind == line.kind }) {
                found[index] = DNSList(zone: line.zone, kind: line.kind, weights: found[index].weights + [line.weight])
            } else {
                found.append(DNSList(zone: line.zone, kind: line.kind, weights: [line.weight]))
            }
        }
        return found
    }

    fileprivate var spfRules: PolicyConfiguration.SPF {
        var rules = PolicyConfiguration.SPF()
        rules.isAsked = spf
        rules.fail = spfFail.action
        rules.helloFail = spfHelloFail.action
        rules.softfail = spfSoftfail.action
        rules.permerror = spfPermerror.action
        rules.temperror = spfTemperror.action
        return rules
    }

    fileprivate var greylistRules: Greylist? {
        guard greylist != .off else { return nil }
        return Greylist(
            delay: Int(greylistDelay.components.seconds), window: Int(greylistWindow.components.seconds),
            retention: Int(greylistRetention.components.seconds))
    }
}
