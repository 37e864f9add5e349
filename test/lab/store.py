"""One store for backups, on a host of the template `stores` with an empty /dev/vdb, as root. Prints one JSON document.

  serve s3|s3-by-time|sftp|rest ADDRESS    makes it and says how it is reached
  wipe                                     removes everything, as somebody does who holds the owner's key
  attack                                   overwrites every object of a bucket and removes it, with the client's key
  unwipe                                   removes what hides the objects of a bucket since then, with the owner's key
  as-of SECONDS                            makes a bucket what it was at that time since 1970, with the owner's key
  versions owner|client                    tries in every way to destroy versions with that key; counts what is left
"""
import base64, hashlib, json, os, pathlib, secrets, shutil, socket, subprocess, sys, time

sys.path.insert(0, "/opt/stores/python")
HOME, DATA, BUCKET, REGION = pathlib.Path("/etc/store"), pathlib.Path("/srv"), "backups", "us-east-1"


def run(*words, **more):
    return subprocess.run(words, check=True, stdout=sys.stderr, **more)


def disk():
    """XFS keeps nothing back for root: full is full for everybody."""
    run("mkfs.xfs", "-q", "/dev/vdb")
    with open("/etc/fstab", "a") as fstab:
        fstab.write(f"/dev/vdb {DATA} xfs defaults 0 0\n")
    run("systemctl", "daemon-reload")
    run("mount", "/dev/vdb")


def certificate(address):
    key, crt = HOME / "server.key", HOME / "server.crt"
    names = HOME / "names"
    names.write_text(f"subjectAltName=IP:{address}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n")
    new = ("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=store", "-keyout", key)
    request = subprocess.run(new, check=True, stdout=subprocess.PIPE).stdout
    run("openssl", "x509", "-req", "-days", "3650", "-CA", HOME / "ca.crt", "-CAkey", HOME / "ca.key", "-extfile", names, "-out", crt, input=request)
    return key, crt


def service(address, port, *command, **environment):
    """Up again by itself after a power cut."""
    (HOME / "environment").write_text("".join(f"{name}={value}\n" for name, value in environment.items()))
    pathlib.Path("/etc/systemd/system/store.service").write_text(
        f"[Unit]\nRequiresMountsFor={DATA}\n[Service]\nEnvironmentFile={HOME}/environment\nWorkingDirectory={HOME}\nRestart=on-failure\n"
        f"ExecStart={' '.join(map(str, command))}\n[Install]\nWantedBy=multi-user.target\n"
    )
    run("systemctl", "enable", "-q", "--now", "store")
    answers(address, port)


def answers(address, port):
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection((address, port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def aws(name, endpoint, key):
    import boto3
    from botocore.config import Config

    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0})
    pair = {"aws_access_key_id": key["key"], "aws_secret_access_key": key["secret"]}
    return boto3.client(name, endpoint_url=endpoint, region_name=REGION, verify=str(HOME / "ca.crt"), config=config, **pair)


def allowed(**principal):
    """What backups need, and nothing that destroys a version."""
    bucket = f"arn:aws:s3:::{BUCKET}"
    look = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    work = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    # versitygw judges a delete of several keys by the bucket
    statements = [{"Action": look, "Resource": [bucket]}, {"Action": work, "Resource": [bucket, f"{bucket}/*"]}]
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **principal, **each} for each in statements]})


def make_bucket(s3):
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    s3.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule})


def serve_s3(address):
    key, crt = certificate(address)
    endpoint = f"https://{address}:7070"
    owner, client = ({"key": name, "secret": secrets.token_hex(20)} for name in ("owner", "backup-client"))
    for folder in (HOME / "accounts", DATA / "versions", DATA / "data"):
        folder.mkdir()
    service(
        address, 7070, "/opt/stores/bin/versitygw", "--port", f"{address}:7070", "--cert", crt, "--key", key, "--region", REGION,
        "--iam-dir", HOME / "accounts", "--quiet", "posix", "--versioning-dir", DATA / "versions", DATA / "data",
        ROOT_ACCESS_KEY=owner["key"], ROOT_SECRET_KEY=owner["secret"],
    )  # fmt: skip
    admin = ("admin", "--access", owner["key"], "--secret", owner["secret"], "--region", REGION, "--endpoint-url", endpoint)
    account = ("create-user", "-a", client["key"], "-s", client["secret"], "-r", "user")
    run("/opt/stores/bin/versitygw", *admin, *account, env={"SSL_CERT_FILE": str(HOME / "ca.crt")})
    s3 = aws("s3", endpoint, owner)
    make_bucket(s3)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=allowed(Principal=[client["key"]]))
    return dict(endpoint=endpoint, region=REGION, bucket=BUCKET, owner=owner, client=client)


def serve_s3_by_time(address):
    """moto gives the time of an old version as it was, which versitygw does not, but keeps everything in memory."""
    key, crt = certificate(address)
    endpoint = f"https://{address}:7071"
    (HOME / "wsgi.py").write_text("from moto.server import DomainDispatcherApplication, create_backend_app\napp = DomainDispatcherApplication(create_backend_app)\n")
    service(
        address, 7071, "/usr/bin/python3", "-m", "gunicorn", "-w", "1", "--threads", "8", "--keep-alive", "30",
        "-b", f"{address}:7071", "--certfile", crt, "--keyfile", key, "wsgi:app",
        PYTHONPATH="/opt/stores/python", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y", INITIAL_NO_AUTH_ACTION_COUNT="4",
    )  # fmt: skip
    everything = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

    def account(iam, name, policy):
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"]}

    owner = account(aws("iam", endpoint, {"key": "x", "secret": "y"}), "owner", everything)
    s3 = aws("s3", endpoint, owner)
    s3.list_buckets()  # the last of the calls that nobody checks
    make_bucket(s3)
    client = account(aws("iam", endpoint, owner), "backup", allowed())
    return dict(endpoint=endpoint, region=REGION, bucket=BUCKET, owner=owner, client=client)


def serve_sftp(address):
    chroot, keys = DATA / "sftp" / "store", pathlib.Path("/etc/ssh/keys")
    run("useradd", "-M", "-d", "/", "-s", "/usr/sbin/nologin", "store")
    (chroot / "repo").mkdir(parents=True)
    shutil.chown(chroot / "repo", "store", "store")
    keys.mkdir()
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "backup", "-f", HOME / "client")
    shutil.copy(HOME / "client.pub", keys / "store")
    (keys / "store").chmod(0o644)
    pathlib.Path("/etc/ssh/sshd_config.d/store.conf").write_text(
        f"Port 22\nPort 2222\nMatch User store\n  ChrootDirectory {chroot.parent}/%u\n  ForceCommand internal-sftp\n  AuthorizedKeysFile {keys}/%u\n"
        "  PasswordAuthentication no\n  AllowTcpForwarding no\n"
    )
    # As most servers have them: of each type one, of which each client takes what it likes best
    run("ssh-keygen", "-q", "-A")
    run("systemctl", "reload", "ssh")
    answers(address, 2222)
    host_keys = [" ".join(each.read_text().split()[:2]) for each in sorted(pathlib.Path("/etc/ssh").glob("ssh_host_*_key.pub"))]
    files = {"privateKey": (HOME / "client").read_text(), "publicKey": (HOME / "client.pub").read_text()}
    return dict(address=address, port=2222, user="store", path="/repo", hostKeys=host_keys, **files)


def serve_rest(address):
    key, crt = certificate(address)
    user, password = "backup", secrets.token_hex(20)
    repositories = DATA / "repositories"
    repositories.mkdir()
    hashed = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()
    (repositories / ".htpasswd").write_text(f"{user}:{{SHA}}{hashed}\n")
    service(
        address, 8000, "/opt/stores/bin/rest-server", "--path", repositories, "--listen", f"{address}:8000",
        "--tls", "--tls-cert", crt, "--tls-key", key, "--append-only", "--private-repos",
    )  # fmt: skip
    return dict(url=f"https://{address}:8000/{user}", user=user, password=password)


def serve(kind, address):
    disk()
    facts = {"s3": serve_s3, "s3-by-time": serve_s3_by_time, "sftp": serve_sftp, "rest": serve_rest}[kind](address)
    (HOME / "store.json").write_text(json.dumps(facts))
    return {**facts, "authority": (HOME / "ca.crt").read_text()}


def served():
    return json.loads((HOME / "store.json").read_text())


def every(s3, listing, part):
    return [each for page in s3.get_paginator(listing).paginate(Bucket=BUCKET) for each in page.get(part, [])]


def wipe():
    facts = served()
    if "bucket" in facts:
        s3 = aws("s3", facts["endpoint"], facts["owner"])
        names = [each["Key"] for each in every(s3, "list_objects_v2", "Contents")]
        for name in names:
            s3.delete_object(Bucket=BUCKET, Key=name)
        return {"removed": len(names)}
    root = DATA / "sftp/store/repo" if "privateKey" in facts else DATA / "repositories" / facts["user"]
    removed = sum(len(files) for _, _, files in os.walk(root))
    for each in root.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    return {"removed": removed}


def attack():
    """Whoever has taken over a host has its key: all that this one can do to what is there."""
    facts = served()
    s3 = aws("s3", facts["endpoint"], facts["client"])
    names = [each["Key"] for each in every(s3, "list_objects_v2", "Contents")]
    for name in names:
        s3.put_object(Bucket=BUCKET, Key=name, Body=b"pay")
        s3.delete_object(Bucket=BUCKET, Key=name)
    return {"removed": len(names)}


def as_of(seconds):
    """What the owner of a bucket does then: the version that an object had at that time becomes its newest. Locked ones cannot be removed."""
    facts = served()
    s3 = aws("s3", facts["endpoint"], facts["owner"])
    then = {}
    for part in ("Versions", "DeleteMarkers"):
        for each in every(s3, "list_object_versions", part):
            at = each["LastModified"].timestamp()
            known = then.get(each["Key"], (0, None))[0]
            # Newest first, and to the second: of two versions the first is the later one, and what was removed was there before.
            if at <= float(seconds) and (at > known or (at == known and part == "DeleteMarkers")):
                then[each["Key"]] = (at, each["VersionId"] if part == "Versions" else None)
    wanted = {key: version for key, (_, version) in then.items() if version is not None}
    for key, version in wanted.items():
        # Not a copy within the bucket, which moto refuses where there is a lock.
        s3.put_object(Bucket=BUCKET, Key=key, Body=s3.get_object(Bucket=BUCKET, Key=key, VersionId=version)["Body"].read())
    for each in every(s3, "list_objects_v2", "Contents"):
        if each["Key"] not in wanted:
            s3.delete_object(Bucket=BUCKET, Key=each["Key"])
    return {"back": len(wanted)}


def unwipe():
    """What the owner of a bucket does after an attack: what hides the objects goes, and they are there again."""
    facts = served()
    s3 = aws("s3", facts["endpoint"], facts["owner"])
    markers = [each for each in every(s3, "list_object_versions", "DeleteMarkers") if each["IsLatest"]]
    for each in markers:
        s3.delete_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])
    return {"back": len(markers)}


def versions(who):
    from botocore.exceptions import ClientError

    facts = served()
    s3, owners = (aws("s3", facts["endpoint"], facts[each]) for each in (who, "owner"))

    def attempt(call, **more):
        try:
            call(Bucket=BUCKET, **more)
        except ClientError:
            pass  # what counts is what is left

    def there():
        return {(each["Key"], each["VersionId"]) for each in every(owners, "list_object_versions", "Versions")}

    before = there()
    for name, version in before:
        attempt(s3.delete_object, Key=name, VersionId=version)
        attempt(s3.delete_object, Key=name, VersionId=version, BypassGovernanceRetention=True)
        attempt(s3.delete_objects, Delete={"Objects": [{"Key": name, "VersionId": version}]})
    return {"before": len(before), "left": len(before & there())}


print(json.dumps({"serve": serve, "wipe": wipe, "attack": attack, "unwipe": unwipe, "as-of": as_of, "versions": versions}[sys.argv[1]](*sys.argv[2:])))
