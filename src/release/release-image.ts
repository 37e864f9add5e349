import { BASE_LABEL, type ImageFacts, labelsOf, PYTHON_PATH, REQUIREMENTS_LABEL, variablesOf } from "./image-config.ts";

/**
 * The image of a release: its base with one layer of Python packages (which change seldom) and one of addons on top. Nothing in it tells
 * of the release's id, its time or who built it, so the same content is the same image wherever it is put together.
 */
export function releaseImage(base: ImageFacts, own: OwnParts): ImageFacts {
  const { requirements, addons, baseDigest } = own;
  const labels = { ...labelsOf(base), [BASE_LABEL]: baseDigest };
  if (requirements === undefined) return { ...base, layers: [...base.layers, addons], config: { ...base.config, Labels: labels } };
  return {
    ...base,
    layers: [...base.layers, requirements.diffId, addons],
    config: {
      ...base.config,
      Labels: { ...labels, [REQUIREMENTS_LABEL]: requirements.key },
      Env: [...variablesOf(base).map(withScripts), `PYTHONUSERBASE=${PYTHON_PATH}`],
    },
  };
}

interface OwnParts {
  readonly baseDigest: string;
  readonly requirements: Requirements | undefined;
  /** Diff id. */
  readonly addons: string;
}

export interface Requirements {
  readonly key: string;
  readonly diffId: string;
}

function withScripts(variable: string): string {
  return variable.startsWith("PATH=") ? `${variable}:${PYTHON_PATH}/bin` : variable;
}
