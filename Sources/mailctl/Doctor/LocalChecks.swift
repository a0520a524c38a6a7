// What can be examined without asking anybody: services, ports, folders, disks, clock, queue.

import Configuration
import Directory
import DirectoryDatabase
import Kernel
import MailModel

enum LocalChecks {
    static func all(_ patient: Patient) -> [Finding] {
        services(patient) + ports(patient) + PermissionFindings.all(patient) + SandboxCheck.all(patient) + CertificateCheck.all(patient)
            + addresses(patient) + ClockCheck.all(patient) + DiskCheck.all(patient) + QueueCheck.all(patient)
    }

    // MARK: Services

    private static func services(_ patient: Patient) -> [Finding] {
        let down = Service.allCases.filter { !patient.isRunning($0) }
        if down.count == Service.allCases.count {
            return [.problem("services", "nothing runs", remedy: patient.mailctl("run") + ", or where systemd has the units: systemctl start martlet.target")]
        }
        var findings = down.map { service in
            let state = patient.status.services.first { $0.service == service }
            let code = state?.lastCode.map { "; its last process ended with status \($0)" } ?? ""
            return Finding.problem(
                "services", of: service.rawValue, (state?.state == .crashing ? "ends soon after each start" : "is not running") + code,
                remedy: patient.mailctl("start \(service.rawValue)") + "; its stderr says why it ended")
        }
        findings += patient.status.services.filter { $0.restarts ?? 0 >= 3 }.map {
            .warning("services", of: $0.service.rawValue, "was started again \($0.restarts ?? 0) times", remedy: patient.mailctl("status") + ", and its stderr")
        }
        return findings.isEmpty ? [.ok("services", "all \(Service.allCases.count) run")] : findings
    }

    // MARK: Ports

    private static func ports(_ patient: Patient) -> [Finding] {
        guard Service.allCases.contains(where: patient.isRunning) else { return [.unknown("ports", "not looked at: nothing runs")] }
        let listen = patient.configuration.listen
        let open = ListeningSockets.read()
        var findings: [Finding] = []
        for name in ListenerName.allCases {
            if listen[name].isEmpty {
                findings.append(.warning("ports", of: name.rawValue, "no address is configured", remedy: "listen.\(name.rawValue) in \(patient.options.configurationPath)"))
            }
            for endpoint in listen[name] where !open.contains(endpoint) {
                if patient.status.supervisor == nil {
                    findings.append(.warning(
                        "ports", of: "\(name.rawValue) \(endpoint)", "nothing listens there",
                        remedy: "where systemd binds the addresses they are those of its socket units: systemctl list-sockets 'martlet*'"))
                    continue
                }
                findings.append(.problem(
                    "ports", of: "\(name.rawValue) \(endpoint)", "nothing listens there",
                    remedy: patient.isRunning(name.service) ? patient.mailctl("reload --restart") : patient.mailctl("start \(name.service.rawValue)")))
            }
        }
        if !listen.smtp.isEmpty, listen.smtp.allSatisfy(\.isLoopback), !patient.configuration.development {
            findings.append(.warning("ports", of: "smtp", "only this machine itself can reach it", remedy: "listen.smtp = [\"0.0.0.0:25\", \"[::]:25\"], then " + patient.mailctl("reload --restart")))
        }
        return findings.isEmpty ? [.ok("ports", "every configured address is listened on")] : findings
    }

    // MARK: Addresses that must exist

    /// RFC 5321 §4.5.1 and RFC 2142 §4: somebody must read what is sent there.
    private static func addresses(_ patient: Patient) -> [Finding] {
        guard let directory = try? patient.options.openDirectory(), let domains = try? directory.domains(), let aliases = try? directory.aliases(),
            let accounts = try? directory.accounts()
        else {
            return [.problem("addresses", "the directory database cannot be read", remedy: "run it as root, or as the owner of the tree; a new one is made by \(patient.mailctl("init"))")]
        }
        if domains.isEmpty { return [.problem("addresses", "no domain is ours", remedy: patient.mailctl("domain add DOMAIN"))] }
        let taken = Set(aliases.map { $0.name.key } + accounts.filter(\.isEnabled).map(\.address.canonical))
        let findings = domains.compactMap { listing -> Finding? in
            let names = [Array("postmaster@".utf8) + listing.domain.bytes, [UInt8(ascii: "@")] + listing.domain.bytes]
            if patient.configuration.postmaster != nil || names.contains(where: taken.contains) { return nil }
            return .problem("addresses", of: "postmaster@\(listing.domain)", "nobody gets its mail", remedy: patient.mailctl("alias add postmaster@\(listing.domain) YOU@\(listing.domain)"))
        }
        return findings.isEmpty ? [.ok("addresses", "postmaster@ of every domain is read by somebody")] : findings
    }
}

/// The TCP sockets that listen on this machine.
struct ListeningSockets {
    /// Addresses and ports as the kernel writes them.
    private let sockets: Set<String>

    static func read() -> ListeningSockets {
        ListeningSockets(tables: ["/proc/net/tcp", "/proc/net/tcp6"].compactMap { Machine.text(of: Path($0)) })
    }

    init(tables: [[UInt8]]) {
        var found: Set<String> = []
        for line in tables.flatMap({ $0.split(separator: 0x0A) }) {
            let fields = line.split(separator: 0x20)
            if fields.count > 3, fields[3].elementsEqual("0A".utf8) { found.insert(fields[1].display) }
        }
        sockets = found
    }

    /// The address is written as words of the machine's own order, the port as a number.
    func contains(_ endpoint: Endpoint) -> Bool {
        guard let address = PublicAddress.parse(endpoint.host) else { return false }
        var text = ""
        for word in stride(from: 0, to: address.count, by: 4) {
            for byte in address[word..<(word + 4)].reversed() { text += (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }
        }
        let port = String(endpoint.port, radix: 16, uppercase: true)
        return sockets.contains(text + ":" + String(repeating: "0", count: 4 - port.count) + port)
    }
}

extension Endpoint {
    /// Whether only this machine reaches it.
    var isLoopback: Bool { host == "::1" || host.hasPrefix("127.") }
}
