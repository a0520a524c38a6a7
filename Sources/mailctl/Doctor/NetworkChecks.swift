// What DNS says of the domains and of this machine. Names of ours only; bounded in time; a silence proves nothing.

import Configuration
import DirectoryDatabase
import Kernel
import MailModel
import Resolver

/// Asks until a resolver that never answers, or the end of the time, makes it pointless.
final class PatientResolver {
    private let resolver: StubResolver
    private let end = MonotonicTime.now().adding(milliseconds: 30_000)
    private var silences = 0

    init(_ configuration: Configuration.DNS) {
        resolver = StubResolver(servers: configuration.servers.map { ($0.host, $0.port) })
    }

    func records(_ type: StubResolver.RecordType, of name: [UInt8]) -> DNSAnswer<[DNSMessage.Data]> {
        guard silences < 3, .now() < end else { return .unavailable }
        let answer = resolver.records(type, of: name)
        if case .unavailable = answer { silences += 1 } else { silences = 0 }
        return answer
    }

    /// The addresses of a name, and whether one of the two kinds could not be asked for.
    func addresses(of name: [UInt8]) -> (found: [[UInt8]], isWhole: Bool, isAlias: Bool) {
        var found: [[UInt8]] = []
        var (isWhole, isAlias) = (true, false)
        for type in [StubResolver.RecordType.address, .address6] {
            switch records(type, of: name) {
            case .found(let data):
                for record in data {
                    if case .address(let bytes) = record { found.append(bytes) }
                    if case .alias = record { isAlias = true }
                }
            case .noData, .noSuchName: break
            case .unavailable: isWhole = false
            }
        }
        return (found, isWhole, isAlias)
    }
}

enum NetworkChecks {
    /// Asked about each public address unless others are named; each answers questions of small installations for nothing.
    static let usualBlockLists = ["zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"]

    static func all(_ patient: Patient, blockLists: [String]) -> [Finding] {
        if patient.configuration.development { return [.unknown("dns", "not asked: a tree for development serves nobody outside")] }
        let resolver = PatientResolver(patient.configuration.dns)
        var findings = host(patient, resolver)
        let domains = (try? patient.options.openDirectory().domains()) ?? []
        for listing in domains { findings += domain(listing.domain, patient, resolver) }
        findings += reverse(patient, resolver)
        return findings + BlockListCheck.all(patient.addresses, blockLists.isEmpty ? usualBlockLists : blockLists, resolver)
    }

    private static let silent = "the resolver does not answer"
    private static let askResolver = "check /etc/resolv.conf, or dns.servers"

    // MARK: This host

    private static func host(_ patient: Patient, _ resolver: PatientResolver) -> [Finding] {
        let hostname = patient.configuration.hostname
        let (found, isWhole, isAlias) = resolver.addresses(of: hostname.bytes)
        let wanted = DNSRecord.addresses(of: hostname, patient.addresses).map(\.line).joined(separator: "\n")
        var findings: [Finding] = []
        if isAlias { findings.append(.problem("dns", of: "\(hostname)", "is an alias (CNAME), to which no MX may lead (RFC 2181 §10.3)", remedy: wanted)) }
        if found.isEmpty {
            return findings + [isWhole ? .problem("dns", of: "\(hostname)", "has no address", remedy: wanted) : .unknown("dns", of: "\(hostname)", silent, remedy: askResolver)]
        }
        let texts = found.map { StubResolver.text(of: $0).display }.joined(separator: ", ")
        if patient.addresses.isEmpty {
            findings.append(.unknown("dns", of: "\(hostname)", "is \(texts); this machine has no public address of its own to compare with", remedy: patient.mailctl("doctor --address IP")))
        } else if !found.allSatisfy(patient.addresses.contains) {
            let own = patient.addresses.map { StubResolver.text(of: $0).display }.joined(separator: ", ")
            findings.append(.problem("dns", of: "\(hostname)", "is \(texts), and this machine has \(own)", remedy: wanted))
        }
        return findings.isEmpty ? [.ok("dns", of: "\(hostname)", "is \(texts)")] : findings
    }

    // MARK: The domains

    private static func domain(_ domain: Domain, _ patient: Patient, _ resolver: PatientResolver) -> [Finding] {
        let findings = exchangers(of: domain, patient, resolver) + senderPolicy(of: domain, resolver) + services(of: domain, patient, resolver)
        return findings.isEmpty ? [.ok("dns", of: "\(domain)", "MX, SPF and service records are there")] : findings
    }

    private static func exchangers(of domain: Domain, _ patient: Patient, _ resolver: PatientResolver) -> [Finding] {
        let hostname = patient.configuration.hostname
        let remedy = DNSRecord.exchange(domain, hostname).line
        switch resolver.records(.exchange, of: domain.bytes) {
        case .found(let data):
            let hosts = data.compactMap { record -> [UInt8]? in if case .exchange(_, let host) = record { host } else { nil } }
            if hosts.contains(hostname.bytes) { return [] }
            let named = hosts.map { $0.isEmpty ? "." : $0.display }.joined(separator: ", ")
            return [.problem("dns", of: "\(domain)", "its mail goes to \(named), not to \(hostname)", remedy: remedy)]
        case .noData: return [.problem("dns", of: "\(domain)", "has no MX record", remedy: remedy)]
        case .noSuchName: return [.problem("dns", of: "\(domain)", "does not exist in DNS", remedy: remedy)]
        case .unavailable: return [.unknown("dns", of: "\(domain) MX", silent, remedy: askResolver)]
        }
    }

    private static func senderPolicy(of domain: Domain, _ resolver: PatientResolver) -> [Finding] {
        let remedy = DNSRecord.policy(domain).line
        switch resolver.records(.text, of: domain.bytes) {
        case .found(let data):
            let policies = data.compactMap { record -> String? in if case .text(let text) = record { text.display } else { nil } }.filter { $0.lowercased().hasPrefix("v=spf1") }
            if policies.count > 1 { return [.problem("dns", of: "\(domain)", "has \(policies.count) SPF records, which counts as none (RFC 7208 §4.5)", remedy: remedy)] }
            return policies.isEmpty ? [.warning("dns", of: "\(domain)", "has no SPF record: others may refuse its mail", remedy: remedy)] : []
        case .noData, .noSuchName: return [.warning("dns", of: "\(domain)", "has no SPF record: others may refuse its mail", remedy: remedy)]
        case .unavailable: return [.unknown("dns", of: "\(domain) TXT", silent, remedy: askResolver)]
        }
    }

    private static func services(of domain: Domain, _ patient: Patient, _ resolver: PatientResolver) -> [Finding] {
        let wanted = DNSRecord.services(domain, patient.configuration.hostname, patient.configuration.listen)
        let missing = wanted.filter { record in
            switch resolver.records(.service, of: Array(record.name.utf8)) {
            case .found(let data): !data.contains { if case .service = $0 { true } else { false } }
            case .noData, .noSuchName: true
            case .unavailable: false
            }
        }
        guard !missing.isEmpty else { return [] }
        return [.warning("dns", of: "\(domain)", "mail programs do not find \(missing.count) services by themselves (RFC 6186)", remedy: missing.map(\.line).joined(separator: "\n"))]
    }

    // MARK: Reverse

    private static func reverse(_ patient: Patient, _ resolver: PatientResolver) -> [Finding] {
        let hostname = patient.configuration.hostname
        return zip(patient.addresses, DNSRecord.reverse(hostname, patient.addresses)).map { address, record -> Finding in
            let text = StubResolver.text(of: address).display
            let remedy = "ask the owner of the address (your provider) for: " + record.line
            switch resolver.records(.pointer, of: Array(record.name.utf8)) {
            case .found(let data):
                let names = data.compactMap { entry -> [UInt8]? in if case .pointer(let name) = entry { name } else { nil } }
                if names.contains(hostname.bytes) { return .ok("reverse dns", of: text, "is \(hostname)") }
                return .problem("reverse dns", of: text, "is \(names.map(\.display).joined(separator: ", ")), not \(hostname): many hosts refuse such mail", remedy: remedy)
            case .noData, .noSuchName: return .problem("reverse dns", of: text, "has no name: many hosts refuse its mail", remedy: remedy)
            case .unavailable: return .unknown("reverse dns", of: text, silent, remedy: askResolver)
            }
        }
    }
}

/// DNS block lists (RFC 5782).
enum BlockListCheck {
    static func all(_ addresses: [[UInt8]], _ lists: [String], _ resolver: PatientResolver) -> [Finding] {
        if addresses.isEmpty { return [.unknown("block lists", "this machine has no public address of its own", remedy: "name it: --address IP")] }
        return addresses.flatMap { address in
            lists.map { list in judge(address, list, resolver.records(.address, of: PublicAddress.reversed(address, in: list))) }
        }
    }

    static func judge(_ address: [UInt8], _ list: String, _ answer: DNSAnswer<[DNSMessage.Data]>) -> Finding {
        let text = StubResolver.text(of: address).display
        switch answer {
        case .found(let data):
            let codes = data.compactMap { record -> [UInt8]? in if case .address(let bytes) = record { bytes } else { nil } }
            // 127.255.255.x says that the list does not serve this resolver; anything outside 127/8 is no list's answer.
            let listed = codes.filter { $0.starts(with: [127]) && !$0.starts(with: [127, 255]) }
            guard let code = listed.first else { return .unknown("block lists", of: "\(text) in \(list)", "the list does not serve this resolver", remedy: "a resolver of your own (unbound)") }
            return .problem(
                "block lists", of: "\(text) in \(list)", "is listed (\(StubResolver.text(of: code).display))",
                remedy: "look the address up on the site of \(list), end what it names, and ask for removal there")
        case .noData, .noSuchName: return .ok("block lists", of: "\(text) in \(list)", "is not listed")
        case .unavailable: return .unknown("block lists", of: "\(text) in \(list)", "no answer in time")
        }
    }
}
